import { z } from 'zod';
import { ProblemError } from '../../../shared/http/problem.ts';
import { Subscription } from '../../../shared/subscription/subscription.ts';
import { subscriptionProblems } from './check-subscription.ts';
import { importDevice, type RegistrationDeps } from './register.ts';

const MAX_IMPORT = 500;
/** Devices of one import that are being stored at a time. */
const CONCURRENCY = 64;

/** Items are looked at one by one: a wrong one must not keep the others out. */
export const ImportBody = z.array(z.unknown()).min(1).max(MAX_IMPORT);
const ImportItem = z.strictObject({
  subscription: Subscription,
  probe: z.boolean().default(false),
});
const NamedItem = z.object({ subscription: z.object({ deviceId: z.string().max(64) }) });

export interface ImportAnswer {
  readonly imported: number;
  readonly refused: readonly { readonly deviceId: string; readonly message: string }[];
}

type ItemResult = { deviceId: string; problem?: string; unavailable?: ProblemError };

/** Registers many devices; answers for each that was refused why. Throws ProblemError (503) when no site took any. */
export async function importDevices(
  items: readonly unknown[],
  extraPushOrigins: readonly string[],
  deps: RegistrationDeps,
): Promise<ImportAnswer> {
  const results: ItemResult[] = Array.from({ length: items.length });
  let next = 0;
  const worker = async () => {
    for (let i = next++; i < items.length; i = next++)
      results[i] = await importItem(items[i], extraPushOrigins, deps);
  };
  await Promise.all(Array.from({ length: Math.min(CONCURRENCY, items.length) }, worker));
  const refused = results.flatMap(({ deviceId, problem }) =>
    problem === undefined ? [] : [{ deviceId, message: problem }],
  );
  const imported = items.length - refused.length;
  const unavailable = results.find((each) => each.unavailable)?.unavailable;
  if (imported === 0 && unavailable) throw unavailable;
  deps.events.registration('imported', imported);
  if (refused.length > 0) deps.events.registration('refused', refused.length);
  return { imported, refused };
}

async function importItem(
  item: unknown,
  extraPushOrigins: readonly string[],
  deps: RegistrationDeps,
): Promise<ItemResult> {
  const parsed = ImportItem.safeParse(item);
  if (!parsed.success) {
    const deviceId = NamedItem.safeParse(item).data?.subscription.deviceId ?? '';
    return {
      deviceId,
      problem: parsed.error.issues
        .map((each) => `${each.path.join('.')}: ${each.message}`)
        .join('; '),
    };
  }
  const { subscription, probe } = parsed.data;
  const { deviceId } = subscription;
  const problems = subscriptionProblems(subscription, { probe, extraPushOrigins });
  if (problems.length > 0)
    return {
      deviceId,
      problem: problems.map((each) => `${each.field} ${each.message}`).join('; '),
    };
  try {
    await importDevice({ subscription, probe }, deps);
    return { deviceId };
  } catch (error) {
    if (!(error instanceof ProblemError)) throw error;
    return { deviceId, problem: `${error.problem.title}: send it again`, unavailable: error };
  }
}
