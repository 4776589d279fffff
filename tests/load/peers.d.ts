/** What the benchmark uses of packages that bring no types. */

declare module 'node-pushnotifications' {
  interface WebSubscription {
    readonly endpoint: string;
    readonly keys: { readonly p256dh: string; readonly auth: string };
  }
  interface MethodResult {
    readonly success: number;
    readonly failure: number;
    readonly message: readonly { readonly errorMsg?: string }[];
  }
  export default class PushNotifications {
    constructor(settings: {
      web: {
        vapidDetails: { subject: string; publicKey: string; privateKey: string };
        TTL: number;
        urgency: string;
      };
    });
    send(to: readonly WebSubscription[], data: string): Promise<readonly MethodResult[]>;
  }
}

declare module 'fcm-v1-http2' {
  export default class Client {
    constructor(options: {
      serviceAccount: { project_id: string; client_email: string; private_key: string };
      maxConcurrentConnections: number;
      maxConcurrentStreamsAllowed: number;
    });
    /** Resolves to the tokens that are not registered any more. */
    sendMulticast(message: object, tokens: readonly string[]): Promise<readonly string[]>;
  }
}

declare module '@parse/push-adapter' {
  interface ParseDevice {
    readonly deviceType: string;
    readonly deviceToken: string;
  }
  interface ParseResult {
    readonly transmitted: boolean;
    readonly response?: unknown;
  }
  export default class ParsePushAdapter {
    constructor(settings: { android: { firebaseServiceAccount: object } });
    send(data: object, devices: readonly ParseDevice[]): Promise<readonly ParseResult[]>;
  }
}

declare module '@block65/webcrypto-web-push' {
  interface Device {
    readonly endpoint: string;
    readonly keys: { readonly p256dh: string; readonly auth: string };
  }
  export function buildPushPayload(
    message: { data: string; options: { ttl: number; urgency: string } },
    device: Device,
    vapid: { subject: string; publicKey: string; privateKey: string },
  ): Promise<{ headers: { readonly authorization: string }; body: ArrayBuffer }>;
}

declare module '@pushforge/builder' {
  interface Device {
    readonly endpoint: string;
    readonly keys: { readonly p256dh: string; readonly auth: string };
  }
  export function buildPushHTTPRequest(options: {
    privateJWK: object;
    subscription: Device;
    message: {
      payload: unknown;
      adminContact: string;
      options: { ttl: number; urgency: string };
    };
  }): Promise<{ headers: Readonly<Record<string, string>>; body: ArrayBuffer }>;
}
