import { expect, test } from '@jest/globals';
import { AES_GCM_MODULE, AES_GCM_SOURCE_SHA256 } from './aes-gcm-module.ts';
import { compileModule, loadCompiler, sourceHash } from './build-module.ts';

test('the module in use was made from the source that stands beside it', () => {
  expect(AES_GCM_SOURCE_SHA256).toBe(sourceHash());
});

test('where the compiler is installed, the source compiles to the module, byte for byte', async () => {
  const compiler = await loadCompiler();
  if (!compiler) return;
  const module = Buffer.from(await compileModule(compiler)).toString('base64');
  expect(module).toBe(AES_GCM_MODULE);
});
