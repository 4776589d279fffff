/** RFC 7541 appendix A, `name` or `name: value` a line; the first line is index 1. */
const LINES = `
:authority
:method: GET
:method: POST
:path: /
:path: /index.html
:scheme: http
:scheme: https
:status: 200
:status: 204
:status: 206
:status: 304
:status: 400
:status: 404
:status: 500
accept-charset
accept-encoding: gzip, deflate
accept-language
accept-ranges
accept
access-control-allow-origin
age
allow
authorization
cache-control
content-disposition
content-encoding
content-language
content-length
content-location
content-range
content-type
cookie
date
etag
expect
expires
from
host
if-match
if-modified-since
if-none-match
if-range
if-unmodified-since
last-modified
link
location
max-forwards
proxy-authenticate
proxy-authorization
range
referer
refresh
retry-after
server
set-cookie
strict-transport-security
transfer-encoding
user-agent
vary
via
www-authenticate`;

export interface HeaderField {
  readonly name: string;
  readonly value: string;
}

/** By index - 1. */
export const STATIC_TABLE: readonly HeaderField[] = LINES.trim()
  .split('\n')
  .map((line) => {
    const [name = '', value = ''] = line.split(/(?<=.): /);
    return { name, value };
  });

/** Indices from here on mean the dynamic table, newest entry first. */
export const FIRST_DYNAMIC_INDEX = STATIC_TABLE.length + 1;

/** RFC 7541 section 4.1: what an entry counts beyond its name and value. */
export const ENTRY_OVERHEAD_BYTES = 32;

/** The first index with this name; 0: none. */
export function staticNameIndex(name: string): number {
  return STATIC_TABLE.findIndex((field) => field.name === name) + 1;
}
