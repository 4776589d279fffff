import { callLine, startPageReceiver } from '../page-receiver.ts';

/** Stands in for a pager in deploy/compose.yaml: prints who would be called. Signs of life are not printed. */
const port = Number(process.env['PORT'] ?? '0');
const pages = await startPageReceiver(port, (call) => {
  if (call.kind !== 'dead-man') process.stdout.write(`${callLine(call)}\n`);
});
process.stdout.write('pages and tickets are printed here\n');
for (const signal of ['SIGINT', 'SIGTERM'] as const)
  process.once(signal, () => void pages.close().then(() => process.exit(0)));
