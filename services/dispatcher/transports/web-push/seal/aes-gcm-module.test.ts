import { expect, test } from '@jest/globals';
import { AES_GCM_MODULE, AES_GCM_SOURCE_SHA256 } from './aes-gcm-module.ts';
import { compileModule, loadCompiler, sourceHash } from './build-module.ts';

test('the module in use was made from the source that stands beside it', () => {
  expect(AES_GCM_SOURCE_SHA256).toBe(sourceHash());
});

const compiler = await loadCompiler();
/** npm install --no-save assemblyscript@0.28.20 */
const withCompiler = compiler === undefined ? test.skip : test;

withCompiler('the source compiles to the module in use, byte for byte', async () => {
  if (compiler === undefined) throw new Error('unreachable');
  const module = Buffer.from(await compileModule(compiler)).toString('base64');
  expect(module).toBe(AES_GCM_MODULE);
});
