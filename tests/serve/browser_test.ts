import { assertEquals, assertStringIncludes } from "@std/assert";
import { violationsOf } from "../std/axe.ts";
import {
  type Browser,
  type BrowserPage,
  launch,
  type Look,
} from "../std/playwright.ts";
import { ago, deployment, PageHost, revisions } from "./page_host.ts";
import { pages } from "./pages.ts";

/** Debian's. */
const program = "/usr/bin/chromium";

/** Where pictures are left, if anywhere: `PICTURES=FOLDER ./dev test …`. */
const pictures = Deno.env.get("PICTURES");

async function isThere(): Promise<boolean> {
  try {
    return (await Deno.stat(program)).isFile;
  } catch {
    return false;
  }
}

const hasBrowser = await isThere();
if (!hasBrowser) {
  console.log(`the page is not looked at in a browser: there is no ${program}`);
}

/** Pages that are looked at in every way; of others each width and scheme once. */
const everyWay = ["run", "held"];
const pairs = ["360-dark", "1280-light"];

const looks: Readonly<Record<string, Look>> = Object.fromEntries(
  (["light", "dark"] as const).flatMap((colorScheme) =>
    [360, 1280].map((width) => [`${width}-${colorScheme}`, {
      viewport: { width, height: 800 },
      colorScheme,
      timezoneId: "UTC",
    }])
  ),
);

/** Opens a page, and collects all that the browser finds wrong with it. */
async function opened(
  browser: Browser,
  look: Look,
  address: string,
  work: (page: BrowserPage, wrong: string[]) => Promise<void>,
): Promise<string[]> {
  const context = await browser.newContext(look);
  const page = await context.newPage();
  const wrong: string[] = [];
  const asked: string[] = [];
  page.on("console", (message) => {
    if (["error", "warning"].includes(message.type())) {
      wrong.push(message.text());
    }
  });
  page.on("pageerror", (error) => wrong.push(error.message));
  page.on("request", (request) => asked.push(request.url()));
  await page.goto(address);
  await work(page, wrong);
  // A data: address is no request of the network.
  const others = asked.filter((url) =>
    url !== address && !/^data:|\/events(\?from=\d+)?$/.test(url)
  );
  wrong.push(...others.map((url) => `asked for ${url}`));
  await context.close();
  return wrong;
}

/** Waits until something is so on a page, whose policy lets nobody wait in it. */
async function until(page: BrowserPage, isSo: string) {
  for (let i = 0; !await page.evaluate<boolean>(isSo); i++) {
    if (i === 600) throw new Error(`still not so: ${isSo}`);
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
}

async function lookAt(page: BrowserPage, wrong: string[], name: string) {
  const { innerWidth, scrollWidth } = await page.evaluate<
    { innerWidth: number; scrollWidth: number }
  >("({ innerWidth, scrollWidth: document.documentElement.scrollWidth })");
  if (scrollWidth > innerWidth) {
    wrong.push(`${scrollWidth} px wide on ${innerWidth}`);
  }
  const found = await violationsOf(page);
  wrong.push(
    ...found.map(({ id, help, nodes }) =>
      `${id}: ${help}: ${nodes.map(({ html }) => html).join(" ")}`
    ),
  );
  if (pictures === undefined) return;
  await page.screenshot({ path: `${pictures}/${name}.png`, fullPage: true });
}

Deno.test({
  name: "a browser finds nothing wrong with any page",
  ignore: !hasBrowser,
  // The browser is driven by timers of its own.
  sanitizeOps: false,
  sanitizeResources: false,
  fn: async (t) => {
    const browser = await launch(program);
    try {
      for (const [name, make] of Object.entries(pages)) {
        await t.step(name, async () => {
          const { host, path } = await make();
          await using _ = host;
          const address = await host.serve() + path;
          for (const [how, look] of Object.entries(looks)) {
            const isAll = everyWay.includes(name) || pictures !== undefined;
            if (!isAll && !pairs.includes(how)) continue;
            const wrong = await opened(
              browser,
              look,
              address,
              (page, wrong) => lookAt(page, wrong, `${name}-${how}`),
            );
            // What is not there is told by its status, which a console names.
            const real = wrong.filter((one) =>
              name !== "missing" || !one.includes("404")
            );
            assertEquals(real, [], how);
          }
          assertEquals(host.faults, []);
        });
      }
    } finally {
      await browser.close();
    }
  },
});

Deno.test({
  name: "the page follows the host, and keeps what a person does to it",
  ignore: !hasBrowser,
  sanitizeOps: false,
  sanitizeResources: false,
  fn: async () => {
    await using host = await PageHost.make({}, { now: () => new Date() });
    host.leaveInSync();
    const browser = await launch(program);
    try {
      const address = `${await host.serve()}/`;
      const wrong = await opened(
        browser,
        looks["1280-light"]!,
        address,
        async (page) => {
          await until(page, "link.textContent === 'live'");
          await page.evaluate("window.kept = document.querySelector('#facts')");
          const { good, tip } = revisions;
          host.leave({
            lastGood: deployment(host.config, good, "Old", ago(0)),
          }, { tip: { revision: tip, kind: "branch", name: "main" } });
          await until(
            page,
            "document.querySelector('#state b').textContent === 'out of sync with main'",
          );
          await until(
            page,
            "document.title.includes('out of sync with main')",
          );
          // The same element, with another text in it.
          await until(
            page,
            "kept === document.querySelector('#facts') && kept.textContent.includes('Old')",
          );
        },
      );
      assertEquals(wrong, []);

      // Without scripts it is whole.
      const look = { ...looks["360-dark"]!, javaScriptEnabled: false };
      const context = await browser.newContext(look);
      const page = await context.newPage();
      await page.goto(address);
      const html = await page.content();
      for (const text of ["out of sync with main", "as of ", "History"]) {
        assertStringIncludes(html, text);
      }
      await context.close();
      assertEquals(host.faults, []);
    } finally {
      await browser.close();
    }
  },
});
