/**
 * Finds in a page what people with disabilities can't use. For tests alone.
 *
 * @module
 */
import untyped from "npm:axe-core@4.14.1";
import type { BrowserPage } from "./playwright.ts";

/** Something that a person can't use. */
export interface Violation {
  id: string;
  help: string;
  nodes: { html: string; failureSummary?: string }[];
}

const { source } = untyped as unknown as { source: string };

/** What is wrong with a page, by all rules and best practices. */
export async function violationsOf(page: BrowserPage): Promise<Violation[]> {
  // Not as a script of the page, which its policy refuses.
  await page.evaluate(source);
  const { violations } = await page.evaluate<{ violations: Violation[] }>(
    "axe.run(document, { resultTypes: ['violations'] })",
  );
  return violations;
}
