import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { type Browser, type BrowserContextOptions, chromium, type Page } from 'playwright-core';
import { describeWith } from './tools.js';

export const describeBrowser = describeWith('chromium', ['--version'], 'Debian: apt-get install chromium');

/** Chromium without a window. */
export interface TestBrowser {
  /** A page of a browser that knows no other, and all that goes wrong in it. */
  open(url: string, options?: BrowserContextOptions): Promise<TestPage>;
  close(): Promise<void>;
}

export interface TestPage {
  readonly page: Page;
  /** What its console calls errors: exceptions, what its policy forbids, what does not load. */
  readonly errors: readonly string[];
}

export async function startBrowser(): Promise<TestBrowser> {
  const server = await chromium.launchServer({
    executablePath: pathOf('chromium'),
    // As root there is no sandbox to be had. Nothing but this machine is to be asked for anything.
    args: ['--no-sandbox', '--disable-background-networking', '--disable-component-update', '--no-first-run'],
  });
  const browser: Browser = await chromium.connect(server.wsEndpoint());
  return {
    async open(url, options = {}) {
      const page = await browser.newPage(options);
      const errors: string[] = [];
      page.on('pageerror', (error) => errors.push(error.message));
      page.on('console', (message) => {
        if (message.type() === 'error') errors.push(message.text());
      });
      await page.goto(url);
      return { page, errors };
    },
    async close() {
      await browser.close();
      // By its own process id.
      await server.kill();
    },
  };
}

function pathOf(program: string): string {
  return execFileSync('which', [program], { encoding: 'utf8' }).trim();
}

const AXE = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');

/** What a page's accessibility lacks, a line each. */
export async function accessibilityProblems(page: Page): Promise<readonly string[]> {
  // The protocol of the debugger is not held to the page's policy, which allows no foreign script.
  await page.evaluate(AXE);
  return page.evaluate(async () => {
    const { axe } = globalThis as unknown as {
      axe: { run(): Promise<{ violations: readonly { id: string; nodes: readonly { html: string }[] }[] }> };
    };
    const { violations } = await axe.run();
    return violations.flatMap(({ id, nodes }) => nodes.slice(0, 3).map(({ html }) => `${id}: ${html}`));
  });
}
