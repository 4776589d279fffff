import { CapDateTime } from './alert.ts';

/** One entry of CAP `references`: `sender,identifier,sent` (CAP 1.2 section 3.2.1). */
export interface Reference {
  readonly sender: string;
  readonly identifier: string;
  readonly sent: string;
}

/** CAP identity as it is written in `references`. */
export function formatReference(message: Reference): string {
  return `${message.sender},${message.identifier},${message.sent}`;
}

/** Entries of a whitespace-separated list, or the ones that are not a triple with a real instant. */
export function parseReferences(text: string): { references: Reference[]; malformed: string[] } {
  const references: Reference[] = [];
  const malformed: string[] = [];
  for (const entry of text.split(/\s+/).filter(Boolean)) {
    const [sender, identifier, sent, ...rest] = entry.split(',');
    if (sender && identifier && sent && rest.length === 0 && CapDateTime.safeParse(sent).success)
      references.push({ sender, identifier, sent });
    else malformed.push(entry);
  }
  return { references, malformed };
}
