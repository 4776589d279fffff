import { importSPKI, type JWTPayload, jwtVerify } from 'jose';
import type { Clock } from '../../shared/time/clock.ts';
import { ACCESS_TOKEN_SECONDS, type AccessTokens } from './access-tokens.ts';
import type { ProviderAnswer, ProviderRequest } from './provider-answer.ts';

interface OauthDeps {
  readonly serviceAccount: { readonly email: string; readonly publicKeyPem: string };
  readonly accessTokens: AccessTokens;
  /** Origin of this server: its own `/token` is a right audience too. */
  readonly origin: () => string;
  /** The service account is withdrawn. */
  readonly isRevoked: () => boolean;
  readonly now: Clock;
}

const GRANT = 'urn:ietf:params:oauth:grant-type:jwt-bearer';

/** What Google's client libraries write as audience, whatever address they are told to post to. */
const GOOGLE_AUDIENCES = [
  'https://oauth2.googleapis.com/token',
  'https://www.googleapis.com/oauth2/v4/token',
  'https://accounts.google.com/o/oauth2/token',
];
const SCOPES = [
  'https://www.googleapis.com/auth/firebase.messaging',
  'https://www.googleapis.com/auth/cloud-platform',
];

const NOT_SHORT_LIVED =
  'Invalid JWT: Token must be a short-lived token (60 minutes) and in a reasonable timeframe. Check your iat and exp values in the JWT claim.';

const refuse = (error: string, description: string, status = 400): ProviderAnswer => ({
  status,
  headers: {},
  body: { error, error_description: description },
});

/**
 * Google's token endpoint for service accounts: the JWT-bearer grant (RFC 7523; developers.google.com/identity,
 * "Using OAuth 2.0 for server to server applications"). The assertion's RS256 signature is checked against the one
 * account's public key.
 */
export async function createOauthEndpoint(
  deps: OauthDeps,
): Promise<(request: ProviderRequest) => Promise<ProviderAnswer>> {
  const key = await importSPKI(deps.serviceAccount.publicKeyPem, 'RS256');
  return async (request) => {
    const form = new URLSearchParams(request.body.toString('utf8'));
    if (form.get('grant_type') !== GRANT)
      return refuse(
        'unsupported_grant_type',
        `Invalid grant_type: ${form.get('grant_type') ?? ''}`,
      );
    const assertion = form.get('assertion');
    if (!assertion) return refuse('invalid_request', 'Missing required parameter: assertion');
    let claims: JWTPayload;
    try {
      const verified = await jwtVerify(assertion, key, {
        algorithms: ['RS256'],
        audience: [...GOOGLE_AUDIENCES, `${deps.origin()}/token`],
        currentDate: new Date(deps.now()),
        requiredClaims: ['iss', 'exp', 'iat'],
      });
      claims = verified.payload;
    } catch (error) {
      return refusalOf(error);
    }
    // Google's words for an account that was deleted or switched off.
    if (claims.iss !== deps.serviceAccount.email || deps.isRevoked())
      return refuse('invalid_grant', 'Invalid grant: account not found');
    if (Number(claims.exp) - Number(claims.iat) > 3600)
      return refuse('invalid_grant', NOT_SHORT_LIVED);
    const scopes = String(claims['scope'] ?? '').split(' ');
    if (!scopes.some((scope) => SCOPES.includes(scope)))
      return refuse('invalid_scope', 'Invalid OAuth scope or ID token audience provided.');
    return {
      status: 200,
      headers: { 'cache-control': 'no-store' },
      body: {
        access_token: deps.accessTokens.issue(deps.now()),
        expires_in: ACCESS_TOKEN_SECONDS,
        token_type: 'Bearer',
      },
    };
  };
}

/** jose's reason in Google's words. */
function refusalOf(error: unknown): ProviderAnswer {
  const { code, claim } = error as { code?: unknown; claim?: unknown };
  if (code === 'ERR_JWS_SIGNATURE_VERIFICATION_FAILED')
    return refuse('invalid_grant', 'Invalid JWT Signature.');
  if (code === 'ERR_JWT_EXPIRED') return refuse('invalid_grant', NOT_SHORT_LIVED);
  if (claim === 'aud') return refuse('invalid_grant', 'Invalid JWT: Failed audience check.');
  return refuse('invalid_grant', 'Bad Request');
}
