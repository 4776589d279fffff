import type { Texts } from './texts-fr.ts';

/** What a person should see before a message leaves: kind, area, headline, languages. Parts that a change leaves out are not shown. */
export function summaryLines(
  message: Readonly<Record<string, unknown>>,
  msgType: string,
  texts: Texts,
): string[] {
  const infos = recordsOf(message['info']);
  const first = infos[0] ?? {};
  const areas = recordsOf(first['area']).map((area) => {
    const codes = recordsOf(area['geocode']).map((geocode) => String(geocode['value']));
    return `${String(area['areaDesc'])} (${codes.join(', ')})`;
  });
  const { summary } = texts;
  const status = message['status'];
  return [
    texts.willSend,
    ...(typeof status === 'string' ? [summary.status(status, msgType)] : []),
    ...(areas.length > 0 ? [summary.area(areas.join(' ; '))] : []),
    ...infos.flatMap((info) =>
      typeof info['headline'] === 'string' ? [summary.headline(info['headline'])] : [],
    ),
    ...(infos.length > 0 ? [summary.languages(infos.map((info) => String(info['language'])))] : []),
    ...(typeof first['expires'] === 'string' ? [summary.expires(first['expires'])] : []),
  ];
}

function recordsOf(value: unknown): Record<string, unknown>[] {
  if (!Array.isArray(value)) return [];
  return value.filter(
    (each): each is Record<string, unknown> => typeof each === 'object' && each !== null,
  );
}
