import { existsSync } from 'node:fs';
import puppeteer, { type Browser } from 'puppeteer-core';

/** A browser as its makers ship it, where this machine has one. */
interface StockBrowser {
  readonly path: string;
  /** For `describeWhere`: why there is none; undefined when there is. */
  readonly missing: string | undefined;
}

function stockBrowser(name: string, variable: string, usual: string): StockBrowser {
  const path = process.env[variable] ?? usual;
  const missing = `no stock ${name} at ${path}; set ${variable} to its path`;
  return { path, missing: existsSync(path) ? undefined : missing };
}

export const FIREFOX = stockBrowser('Firefox', 'FIREFOX', '/usr/bin/firefox-esr');
export const CHROMIUM = stockBrowser('Chromium', 'CHROMIUM', '/usr/bin/chromium');

/** Chromium without a window. `profile`: a folder that is there. */
export function launchChromium(profile: string, args: readonly string[] = []): Promise<Browser> {
  // It refuses to sandbox itself as root, and a container's tests are root.
  const asRoot = process.getuid?.() === 0 ? ['--no-sandbox'] : [];
  return puppeteer.launch({
    executablePath: CHROMIUM.path,
    headless: true,
    userDataDir: profile,
    args: [...asRoot, ...args],
  });
}

/** Firefox in French, without a window, whose push service is the one at `pushUrl` (`ws:`). `profile`: a folder that is there. */
export function launchFirefox(profile: string, pushUrl: string): Promise<Browser> {
  return puppeteer.launch({
    browser: 'firefox',
    executablePath: FIREFOX.path,
    headless: true,
    userDataDir: profile,
    extraPrefsFirefox: {
      // A profile made by a driver keeps push off and may not talk to a plain ws: address.
      'dom.push.connection.enabled': true,
      'dom.push.serverURL': pushUrl,
      'dom.push.testing.allowInsecureServerURL': true,
      'dom.push.retryBaseInterval': 500,
      // The person said yes; no desktop is there to ask.
      'permissions.default.desktop-notification': 1,
      'alerts.useSystemBackend': false,
      'intl.accept_languages': 'fr-FR, fr',
    },
  });
}
