/** One way to do a job. It lives in a process of its own, so that its CPU time and its garbage are its own. */
export interface Contender {
  /** Does the job for so many messages; rejects when one of them did not come out right. */
  readonly run: (messages: number) => Promise<void>;
  readonly close: () => Promise<void>;
}

/** Where the stand-in of FCM listens, and the certificate that its clients have to trust. */
export interface StandIn {
  readonly http2Port: number;
  readonly http1Port: number;
  readonly certPem: string;
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
}
