/** The fault was played, and what the row promises did not come true. Any other error says that it could not be played. */
export class BrokenPromiseError extends Error {
  override readonly name = 'BrokenPromiseError';
}
