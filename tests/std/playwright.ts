/**
 * Drives a browser, typed as far as it is used. For tests alone.
 *
 * @module
 */
import * as untyped from "npm:playwright-core@1.65.1";

/** A message in the browser's console. */
export interface ConsoleMessage {
  type(): string;
  text(): string;
}

/** A request that a page makes. */
export interface PageRequest {
  url(): string;
}

/** One page of a browser. */
export interface BrowserPage {
  goto(url: string): Promise<unknown>;
  evaluate<T>(script: string): Promise<T>;
  screenshot(options: { path: string; fullPage?: boolean }): Promise<unknown>;
  content(): Promise<string>;
  close(): Promise<void>;
  on(event: "console", hear: (message: ConsoleMessage) => void): void;
  on(event: "pageerror", hear: (error: Error) => void): void;
  on(event: "request", hear: (request: PageRequest) => void): void;
}

/** How a page is looked at. */
export interface Look {
  viewport: { width: number; height: number };
  colorScheme: "light" | "dark";
  javaScriptEnabled?: boolean;
  deviceScaleFactor?: number;
  timezoneId?: string;
}

/** A browser. */
export interface Browser {
  newContext(look: Look): Promise<{
    newPage(): Promise<BrowserPage>;
    close(): Promise<void>;
  }>;
  close(): Promise<void>;
}

interface Playwright {
  chromium: {
    launch(
      options: { executablePath: string; args: readonly string[] },
    ): Promise<Browser>;
  };
}

const playwright = untyped as unknown as Playwright & { default?: Playwright };

/** Starts the browser of a path. */
export function launch(executablePath: string): Promise<Browser> {
  const { chromium } = playwright.default ?? playwright;
  // Its own sandbox refuses to be begun by root.
  return chromium.launch({ executablePath, args: ["--no-sandbox"] });
}
