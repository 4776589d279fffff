import {
  filesOf,
  type Layout,
  providersOrigin,
  SERVICES,
  type ServiceKind,
  type Site,
  sandboxControlUrl,
  unifiedPushOrigin,
  urlOf,
} from './layout.ts';
import { SANDBOX_ACCOUNT, SANDBOX_PROJECT, SANDBOX_PROJECT_NUMBER } from './state.ts';

type Env = Readonly<Record<string, string>>;

export interface ServiceEnvOptions {
  readonly layout: Layout;
  /** Public half of the VAPID keys. */
  readonly vapidPublicKey: string;
}

/** The settings of one service of one site, as docs/interfaces.md has them. Pure. */
export function serviceEnv(kind: ServiceKind, site: Site, options: ServiceEnvOptions): Env {
  return { ...commonEnv(kind, site, options.layout), ...ownEnv(kind, site, options) };
}

function commonEnv(kind: ServiceKind, site: Site, layout: Layout): Env {
  const files = filesOf(layout.stateDir);
  const nodes = (of: ServiceKind) =>
    JSON.stringify(
      layout.sites.map((each) => ({ name: each.name, site: each.name, url: urlOf(each, of) })),
    );
  const natsSites = layout.sites.map((each) => ({
    site: each.name,
    url: `nats://127.0.0.1:${each.ports.nats}`,
    monitorUrl: `http://127.0.0.1:${each.ports.natsMonitor}`,
    user: kind,
    passwordFile: files.natsPassword(each.name, kind),
  }));
  return {
    SITE: site.name,
    NODE_NAME: site.name,
    HOST: layout.host,
    PORT: String(site.ports[kind]),
    DATA_DIR: files.dataDir(`${kind}-${site.name}`),
    DEPLOYMENT: 'development',
    NATS_SITES: JSON.stringify(natsSites),
    ...Object.fromEntries(SERVICES.map((of) => [LIST_VARIABLE[of], nodes(of)])),
    INTERNAL_TOKEN_FILE: files.internalToken,
    TRUSTED_KEYS_FILE: files.trustedKeys,
    EXTRA_PUSH_ORIGINS: `${providersOrigin(layout)},${unifiedPushOrigin(layout)}`,
    NODE_EXTRA_CA_CERTS: files.caCert,
  };
}

const LIST_VARIABLE: Readonly<Record<ServiceKind, string>> = {
  dispatcher: 'DISPATCHERS',
  ingest: 'INGESTS',
  edge: 'EDGES',
  canary: 'CANARIES',
};

/** What only this kind of service gets: a secret is handed to nobody who does not need it. */
function ownEnv(kind: ServiceKind, site: Site, { layout, vapidPublicKey }: ServiceEnvOptions): Env {
  const files = filesOf(layout.stateDir);
  switch (kind) {
    case 'ingest':
      return {
        API_KEYS_FILE: files.apiKeys,
        PUBLIC_SIGNING_KEY_FILE: files.signingKey(site.name, 'public'),
        CANARY_SIGNING_KEY_FILE: files.signingKey(site.name, 'canary'),
      };
    case 'dispatcher':
      return {
        FCM_PROJECT_ID: SANDBOX_PROJECT,
        FCM_CREDENTIALS_FILE: files.serviceAccount,
        FCM_ORIGIN: providersOrigin(layout),
        OAUTH_ORIGIN: providersOrigin(layout),
        IID_ORIGIN: providersOrigin(layout),
        VAPID_KEYS_FILE: files.vapid,
      };
    case 'edge':
      return { VAPID_PUBLIC_KEY: vapidPublicKey };
    case 'canary':
      return {
        CANARY_API_KEY_FILE: files.apiKey(`canary-${site.name}`),
        EDGE_URL: urlOf(site, 'edge'),
        AUTOPUSH_URL: `ws://127.0.0.1:${layout.sandbox.receivers}/`,
        ...fcmProbeEnv(layout),
        UNIFIED_PUSH_URL: unifiedPushOrigin(layout),
        PERIOD_SECONDS: '60',
        STATUS_DIR: files.statusDir(site.name),
        VAPID_PUBLIC_KEY: vapidPublicKey,
      };
  }
}

/** The FCM probe is a device of the sandbox's own stream; with Google's project, and without the addresses, one of Google's. */
function fcmProbeEnv(layout: Layout): Env {
  return {
    FCM_PROBE: 'mcs',
    FCM_CHECK_IN_URL: `${providersOrigin(layout)}/checkin`,
    FCM_REGISTER_URL: `${providersOrigin(layout)}/c2dm/register3`,
    FCM_INSTALLATIONS_ORIGIN: providersOrigin(layout),
    FCM_MCS_SERVER: `localhost:${layout.sandbox.mcs}`,
    FCM_PROJECT_ID: SANDBOX_PROJECT,
    FCM_SENDER_ID: SANDBOX_PROJECT_NUMBER,
    FCM_APP_ID: `1:${SANDBOX_PROJECT_NUMBER}:android:0`,
    FCM_API_KEY: 'sandbox',
    FCM_APP_PACKAGE: 'example.alerte.probe',
    // For FCM_PROBE=websocket, the simpler device side that crowds and tests use.
    FCM_PROBE_URL: `ws://127.0.0.1:${layout.sandbox.receivers}/fcm`,
    FCM_TOKENS_URL: `${sandboxControlUrl(layout)}/fcm/tokens`,
  };
}

/** The settings of the sandbox. */
export function sandboxEnv(layout: Layout): Env {
  const files = filesOf(layout.stateDir);
  return {
    HOST: layout.host,
    HTTPS_PORT: String(layout.sandbox.providers),
    WS_PORT: String(layout.sandbox.receivers),
    CONTROL_PORT: String(layout.sandbox.control),
    UNIFIED_PUSH_PORT: String(layout.sandbox.unifiedPush),
    MCS_PORT: String(layout.sandbox.mcs),
    DATA_DIR: files.dataDir('sandbox'),
    DEPLOYMENT: 'development',
    TLS_KEY_FILE: files.tlsKey,
    TLS_CERT_FILE: files.tlsCert,
    FCM_PROJECT_ID: SANDBOX_PROJECT,
    FCM_SENDER_ID: SANDBOX_PROJECT_NUMBER,
    SERVICE_ACCOUNT_EMAIL: SANDBOX_ACCOUNT,
    SERVICE_ACCOUNT_PUBLIC_KEY_FILE: files.serviceAccountPublicKey,
    NODE_EXTRA_CA_CERTS: files.caCert,
  };
}
