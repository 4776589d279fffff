import { execFileSync } from 'node:child_process';
import {
  existsSync,
  mkdirSync,
  readdirSync,
  rmSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { filesOf, type Layout } from '../../../deploy/local/layout.ts';

/** An ext4 file system in an image of its own. What the kernel has not written to the image yet is what a power cut takes. */
export class LoopDisk {
  readonly image: string;
  readonly mountPoint: string;

  private constructor(image: string, mountPoint: string) {
    this.image = image;
    this.mountPoint = mountPoint;
  }

  static create(image: string, mountPoint: string, megabytes: number): LoopDisk {
    mkdirSync(dirname(image), { recursive: true });
    writeFileSync(image, '');
    truncateSync(image, megabytes * 1024 * 1024);
    run('mkfs.ext4', '-q', '-m', '0', '-O', '^resize_inode', image);
    const disk = new LoopDisk(image, mountPoint);
    disk.mount();
    return disk;
  }

  /** Another disk, from an image that was copied while this one was in use. */
  static of(image: string, mountPoint: string): LoopDisk {
    const disk = new LoopDisk(image, mountPoint);
    disk.mount();
    return disk;
  }

  mount(): void {
    mkdirSync(this.mountPoint, { recursive: true });
    run('mount', '-o', 'loop,errors=remount-ro', this.image, this.mountPoint);
  }

  unmount(): void {
    run('umount', this.mountPoint);
  }

  /** Never throws. */
  discard(): void {
    try {
      run('umount', '-l', this.mountPoint);
    } catch {
      // It was not mounted.
    }
    rmSync(this.image, { force: true });
  }

  copyImage(to: string): void {
    run('cp', '--sparse=always', this.image, to);
  }

  /** Takes every free block. */
  fill(): void {
    try {
      run('dd', 'if=/dev/zero', `of=${join(this.mountPoint, 'filler')}`, 'bs=4096', 'conv=fsync');
    } catch {
      // It ends when there is no more room: that is its purpose.
    }
  }

  free(): void {
    rmSync(join(this.mountPoint, 'filler'), { force: true });
  }

  /** What the kernel does when a disk fails: from now on it is read-only, also for files that are open. */
  failReadOnly(): void {
    const device = run('findmnt', '-n', '-o', 'SOURCE', this.mountPoint).trim();
    const file = `/sys/fs/ext4/${device.replace('/dev/', '')}/trigger_fs_error`;
    if (!existsSync(file)) throw new Error(`the kernel has no ${file}`);
    writeFileSync(file, 'a failing disk, for a test');
  }

  /** After `failReadOnly`, with nobody using it. */
  repair(): void {
    this.unmount();
    try {
      run('fsck.ext4', '-y', this.image);
    } catch {
      // It says with its exit code that it repaired something.
    }
    this.mount();
  }
}

function run(file: string, ...args: string[]): string {
  return execFileSync(file, args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] });
}

/** Where a process keeps its data. */
function storeOf(layout: Layout, name: string): string {
  const files = filesOf(layout.stateDir);
  return name.startsWith('nats-')
    ? files.natsStore(name.slice('nats-'.length))
    : files.dataDir(name);
}

/** Puts the data of these processes on one disk of their own. Nothing of theirs may run or exist yet. */
export function diskFor(
  layout: Layout,
  disk: string,
  names: readonly string[],
  megabytes: number,
): LoopDisk {
  const image = join(layout.stateDir, 'disks', `${disk}.img`);
  const made = LoopDisk.create(image, join(layout.stateDir, 'disks', disk), megabytes);
  for (const name of names) {
    const folder = join(made.mountPoint, name);
    mkdirSync(folder, { mode: 0o700 });
    const store = storeOf(layout, name);
    mkdirSync(dirname(store), { recursive: true, mode: 0o700 });
    if (existsSync(store) && readdirSync(store).length > 0) throw new Error(`${store} is in use`);
    rmSync(store, { recursive: true, force: true });
    symlinkSync(folder, store);
  }
  return made;
}
