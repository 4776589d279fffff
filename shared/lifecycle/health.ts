export interface HealthCheck {
  readonly name: string;
  /** True when this part is fit to take traffic. */
  readonly check: () => boolean;
}

/** What /live, /ready and /startup answer from. Readiness turns off before draining begins. */
export class Health {
  readonly #checks: HealthCheck[] = [];
  #started = false;
  #stopping = false;

  add(check: HealthCheck): void {
    this.#checks.push(check);
  }

  started(): void {
    this.#started = true;
  }

  stopping(): void {
    this.#stopping = true;
  }

  get isStarted(): boolean {
    return this.#started;
  }

  /** Names of the parts that are not ready; empty means ready. */
  unready(): string[] {
    const failing = this.#checks.filter(({ check }) => !check()).map(({ name }) => name);
    return [
      ...(this.#started ? [] : ['starting']),
      ...(this.#stopping ? ['stopping'] : []),
      ...failing,
    ];
  }
}
