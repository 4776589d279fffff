/** Who may still wait; one that has ended is passed over. */
interface Waits {
  readonly call: { readonly settled: boolean };
}

/** First come, first served, without moving what stands behind. What has ended meanwhile falls out when it comes first. */
export class WaitingLine<Item extends Waits> {
  #items: Item[] = [];
  #head = 0;

  add(item: Item): void {
    this.#items.push(item);
  }

  /** The next one that still waits. It stays in the line. */
  first(): Item | undefined {
    for (;;) {
      const item = this.#items[this.#head];
      if (item === undefined || !item.call.settled) return item;
      this.#head++;
      this.#shorten();
    }
  }

  /** Takes out what `first` gave. */
  take(): void {
    this.#head++;
    this.#shorten();
  }

  /** All that still wait, taken out. */
  takeAll(): Item[] {
    const rest = this.#items.slice(this.#head).filter(({ call }) => !call.settled);
    this.#items = [];
    this.#head = 0;
    return rest;
  }

  #shorten(): void {
    if (this.#head < this.#items.length && this.#head < 1_024) return;
    this.#items = this.#items.slice(this.#head);
    this.#head = 0;
  }
}
