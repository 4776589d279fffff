/** One way to do a job. It lives in a process of its own, so that its CPU time and its garbage are its own. */
export interface Contender {
  /** What is there before an alert, for so many messages; its time is not counted. */
  readonly prepare?: (messages: number) => Promise<void>;
  /** Does the job for so many messages; rejects when one of them did not come out right. */
  readonly run: (messages: number) => Promise<undefined | ForeignCpu>;
  readonly close: () => Promise<void>;
}

/** CPU of another program that did the job on behalf of the contender: it is counted instead of the process's own. */
export interface ForeignCpu {
  readonly cpuMicros: number;
}

/** The local provider that a contest is held against. */
export interface Target {
  /** 0 when the contest needs no provider. */
  readonly port: number;
  readonly certPem: string;
  /** The same in a file; contenders also have it as NODE_EXTRA_CA_CERTS. */
  readonly certFile: string;
}

/** The process that is sent this runs the contender over so many messages. */
export interface Measure {
  readonly messages: number;
}

/** What one turn took. CPU is user and system time of the whole process, garbage collection and compilation included. */
export interface Turn {
  readonly messages: number;
  readonly cpuMicros: number;
  readonly wallMs: number;
  readonly rssMb: number;
}

/** What a contender's process says: that it is ready, what a turn took, or why it could not be done. */
export type ContenderWord =
  | { readonly kind: 'ready' }
  | { readonly kind: 'turn'; readonly turn: Turn }
  | { readonly kind: 'failed'; readonly why: string };
