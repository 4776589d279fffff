import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from '@jest/globals';
import { z } from 'zod';
import { tocsinDashboard } from './dashboard.ts';
import { DASHBOARDS_FOLDER, provisioningFiles } from './provisioning.ts';

/** Grafana's documentation, "Provision Grafana": the fields that it knows, and those that it wants. */
const Provider = z.strictObject({
  apiVersion: z.literal(1),
  providers: z
    .array(
      z.strictObject({
        name: z.string().min(1),
        orgId: z.int().positive().optional(),
        folder: z.string().optional(),
        folderUid: z.string().optional(),
        type: z.literal('file'),
        disableDeletion: z.boolean().optional(),
        updateIntervalSeconds: z.int().min(10).optional(),
        allowUiUpdates: z.boolean().optional(),
        options: z.strictObject({
          path: z.string().startsWith('/'),
          foldersFromFilesStructure: z.boolean().optional(),
        }),
      }),
    )
    .min(1),
});
const DataSources = z.strictObject({
  apiVersion: z.literal(1),
  datasources: z
    .array(
      z.strictObject({
        name: z.string().min(1),
        uid: z.string().regex(/^[a-zA-Z0-9_-]{1,40}$/),
        orgId: z.int().positive().optional(),
        type: z.literal('prometheus'),
        access: z.enum(['proxy', 'direct']),
        url: z.string().min(1),
        isDefault: z.boolean().optional(),
        editable: z.boolean().optional(),
        jsonData: z
          .strictObject({
            timeInterval: z.string().regex(/^\d+s$/),
            httpMethod: z.enum(['GET', 'POST']),
          })
          .optional(),
      }),
    )
    .min(1),
});

const read = (name: string): unknown =>
  JSON.parse(readFileSync(join(import.meta.dirname, name), 'utf8'));

test('the files that Grafana reads are what the code makes, in the shapes of its documentation', () => {
  const files = provisioningFiles();
  for (const [name, content] of Object.entries(files)) expect(read(name)).toEqual(content);
  expect(Provider.safeParse(read('provisioning/dashboards/tocsin.yaml')).error).toBeUndefined();
  expect(DataSources.safeParse(read('provisioning/datasources/tocsin.yaml')).error).toBeUndefined();
});

test('the dashboard asks for a data source of the type that is provisioned, and is mounted where it is looked for', () => {
  const { templating } = tocsinDashboard();
  expect(templating.list).toMatchObject([
    { name: 'datasource', type: 'datasource', query: 'prometheus' },
  ]);
  const compose = readFileSync(join(import.meta.dirname, '../../compose.yaml'), 'utf8');
  expect(compose).toContain(`./monitoring/grafana/tocsin.json:${DASHBOARDS_FOLDER}/tocsin.json:ro`);
  expect(compose).toContain('./monitoring/grafana/provisioning:/etc/grafana/provisioning:ro');
  expect(compose).toContain('PROMETHEUS_URL: ');
});
