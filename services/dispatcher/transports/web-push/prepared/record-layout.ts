/**
 * A prepared record: all that one push message needs besides its text. 86 bytes of header as it goes out (RFC 8188
 * section 2.1: salt, record size, the sender's public key), then content key and nonce, which never go out.
 */
export const HEADER_BYTES = 86;
export const KEY_AT = 86;
export const NONCE_AT = KEY_AT + 16;
export const RECORD_BYTES = NONCE_AT + 12;

export const TAG_BYTES = 16;

/** Takes key and nonce out of a record that has been used. */
export function wipeSecrets(record: Uint8Array): void {
  // A loop: to call `fill` for so few bytes takes longer, a Buffer's above all.
  for (let at = KEY_AT; at < RECORD_BYTES; at++) record[at] = 0;
}
