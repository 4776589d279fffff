import type { DeviceMemory } from './memory.ts';
import type { MemoryStore } from './receive.ts';

/** For simulated devices and probes: remembers as long as the process lives. */
export function createInMemoryStore(): MemoryStore {
  let current: DeviceMemory = [];
  return {
    update: async (change) => {
      const { memory, result } = change(current);
      current = memory;
      return result;
    },
  };
}
