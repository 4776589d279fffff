/** Something that the person who runs the demonstration has to hear as it is. */
export class DemoError extends Error {
  override readonly name = 'DemoError';
}
