#!/usr/bin/env node
import { startCli } from './start-cli.ts';

process.exitCode = await startCli(process.argv.slice(2));
