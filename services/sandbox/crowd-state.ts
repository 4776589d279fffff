import type { DatabaseSync } from 'node:sqlite';
import { z } from 'zod';
import { type CrowdDeviceRecord, CrowdSetup } from './crowd-setup.ts';
import { transaction } from './state.ts';

export interface KeptCrowd {
  readonly setup: CrowdSetup;
  readonly devices: CrowdDeviceRecord[];
}

/** Crowds on disk. */
export interface CrowdState {
  load(): KeptCrowd[];
  insert(crowd: KeptCrowd): void;
  updateSetup(setup: CrowdSetup): void;
  remove(name: string): void;
}

const DeviceRow = z
  .object({
    device_id: z.string(),
    area: z.string(),
    transport: z.enum(['fcm', 'web-push']),
    token: z.string(),
    private_key: z.string().nullable(),
    public_key: z.string().nullable(),
    auth: z.string().nullable(),
  })
  .transform(
    (row): CrowdDeviceRecord => ({
      deviceId: row.device_id,
      areaCode: row.area,
      transport: row.transport,
      token: row.token,
      keys:
        row.private_key === null || row.public_key === null || row.auth === null
          ? undefined
          : { privateKey: row.private_key, publicKey: row.public_key, auth: row.auth },
    }),
  );

export function createCrowdState(db: DatabaseSync): CrowdState {
  const crowds = db.prepare('SELECT setup FROM crowd ORDER BY rowid');
  const devices = db.prepare('SELECT * FROM crowd_device WHERE crowd = ? ORDER BY position');
  const insertCrowd = db.prepare('INSERT INTO crowd (name, setup) VALUES (?, ?)');
  const insertDevice = db.prepare('INSERT INTO crowd_device VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)');
  const update = db.prepare('UPDATE crowd SET setup = ? WHERE name = ?');
  const remove = db.prepare('DELETE FROM crowd WHERE name = ?');
  return {
    load: () =>
      crowds.all().map((row) => {
        const setup = CrowdSetup.parse(JSON.parse(String(row['setup'])));
        return { setup, devices: devices.all(setup.name).map((each) => DeviceRow.parse(each)) };
      }),
    insert: (crowd) =>
      transaction(db, () => {
        insertCrowd.run(crowd.setup.name, JSON.stringify(crowd.setup));
        for (const [position, device] of crowd.devices.entries())
          insertDevice.run(
            crowd.setup.name,
            position,
            device.deviceId,
            device.areaCode,
            device.transport,
            device.token,
            device.keys?.privateKey ?? null,
            device.keys?.publicKey ?? null,
            device.keys?.auth ?? null,
          );
      }),
    updateSetup: (setup) => {
      update.run(JSON.stringify(setup), setup.name);
    },
    remove: (name) => {
      remove.run(name);
    },
  };
}
