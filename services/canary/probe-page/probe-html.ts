export function probeHtml(): string {
  return '';
}
