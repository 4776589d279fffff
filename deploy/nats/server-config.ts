/** What one site's nats-server is started with. Pure text: the launcher and the production templates share it. */
export interface NatsServerSettings {
  readonly serverName: string;
  readonly host: string;
  readonly port: number;
  readonly monitorPort: number;
  readonly storeDir: string;
  /** Off only where a test shows what is lost without it. */
  readonly syncAlways?: boolean;
  /** Upper limit of JetStream's files, in bytes. */
  readonly maxFileStoreBytes?: number;
  readonly passwords: Readonly<Record<NatsUser, string>>;
}

export const NATS_USERS = ['ingest', 'dispatcher', 'edge', 'canary'] as const;
export type NatsUser = (typeof NATS_USERS)[number];

const MAX_PAYLOAD_BYTES = 1024 * 1024;
const MAX_FILE_STORE_BYTES = 8 * 1024 ** 3;

interface Permissions {
  readonly publish: readonly string[];
  readonly subscribe: readonly string[];
}

/** What it takes to create, compare and update one stream, and to publish into it with an acknowledgement. */
const ownStream = (stream: string): string[] =>
  ['CREATE', 'INFO', 'UPDATE'].map((verb) => `$JS.API.STREAM.${verb}.${stream}`);

/** What it takes to read a stream from a position of one's own. */
const followedStream = (stream: string): string[] => [
  ...ownStream(stream),
  `$JS.API.CONSUMER.CREATE.${stream}`,
  ...['CREATE', 'INFO', 'MSG.NEXT', 'DELETE'].map((verb) => `$JS.API.CONSUMER.${verb}.${stream}.>`),
];

/**
 * What each user may do. The canary stands in an account of its own: publish permissions alone are escaped by a request
 * whose reply subject is somebody else's, because the server publishes the answer there. The other three share an
 * account, and what keeps a stolen edge from raising an alert is that nobody acts on an unsigned one (P8).
 */
export const PERMISSIONS: Readonly<Record<NatsUser, Permissions>> = {
  ingest: {
    publish: [
      'alert.>',
      '$JS.API.INFO',
      ...ownStream('ALERTS'),
      '$JS.API.DIRECT.GET.ALERTS',
      '$JS.API.DIRECT.GET.ALERTS.>',
    ],
    subscribe: ['_INBOX.>'],
  },
  dispatcher: {
    // Public alerts: a stream that lost its disk is filled again from the dispatchers' journals.
    publish: ['$JS.API.>', '$JS.ACK.>', '$JS.FC.>', 'receipt.>', 'registry.>', 'alert.public.>'],
    subscribe: ['_INBOX.>'],
  },
  edge: {
    publish: [
      'registry.>',
      'receipt.>',
      '$JS.API.INFO',
      ...ownStream('REGISTRY'),
      ...ownStream('RECEIPTS'),
      ...followedStream('ALERTS'),
      // The last state of a device whose id the asker knows. By sequence or filter it would be the whole registry; a
      // star instead of the id brings the one device that was written last, which permissions cannot tell apart.
      '$JS.API.DIRECT.GET.REGISTRY.registry.*',
    ],
    subscribe: ['_INBOX.>'],
  },
  canary: { publish: ['proof.>'], subscribe: ['_INBOX.>'] },
};

/** The configuration file of one site's server. */
export function natsServerConfig(settings: NatsServerSettings): string {
  const users = (names: readonly NatsUser[]) =>
    names.map((name) => `      ${userLine(name, settings.passwords[name])}`).join('\n');
  const sync = settings.syncAlways === false ? '' : '\n  sync_interval: always';
  return `# Written at every start; changes made here do not last.
server_name: ${quoted(settings.serverName)}
host: ${quoted(settings.host)}
port: ${settings.port}
http: ${quoted(`${settings.host}:${settings.monitorPort}`)}
max_payload: ${MAX_PAYLOAD_BYTES}
max_connections: 1000
ping_interval: "5s"
ping_max: 2
write_deadline: "5s"
jetstream {
  store_dir: ${quoted(settings.storeDir)}${sync}
  max_memory_store: 67108864
  max_file_store: ${settings.maxFileStoreBytes ?? MAX_FILE_STORE_BYTES}
}
accounts {
  APP {
    jetstream: enabled
    users: [
${users(['ingest', 'dispatcher', 'edge'])}
    ]
    exports: [ { service: "proof.>", accounts: [ CANARY ] } ]
  }
  CANARY {
    users: [
${users(['canary'])}
    ]
    imports: [ { service: { account: APP, subject: "proof.>" } } ]
  }
  SYS {}
}
system_account: SYS
`;
}

function userLine(name: NatsUser, password: string): string {
  const { publish, subscribe } = PERMISSIONS[name];
  const list = (subjects: readonly string[]) => subjects.map(quoted).join(', ');
  return `{ user: ${name}, password: ${quoted(password)}, permissions: { publish: [${list(publish)}], subscribe: [${list(subscribe)}] } }`;
}

/** A string of nats-server's configuration language; JSON's escapes are understood there. */
function quoted(text: string): string {
  return JSON.stringify(text);
}
