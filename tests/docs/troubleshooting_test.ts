import { assert, assertEquals } from "@std/assert";

const top = new URL("../../", import.meta.url);
const page = Deno.readTextFileSync(new URL("docs/troubleshooting.md", top));

/** The reasons in the first columns of the tables. */
const explained = [...page.matchAll(/^\| (`[^|]*`) +\|/gm)]
  .flatMap(([, cell]) => [...cell!.matchAll(/`([\w-]+)`/g)])
  .map(([, reason]) => reason!);

/** Rooms whose mistakes are of a person who types, and not of a run. */
const ofPeople =
  /^lib\/(cli\/(arguments|attempts|loaders|operand|span|command|secrets)|init|plan|secrets\/people|serve|doctor)/;

function sources(folder = "lib"): string[] {
  return [...Deno.readDirSync(new URL(folder, top))].flatMap((entry) => {
    const path = `${folder}/${entry.name}`;
    return entry.isDirectory ? sources(path) : [path];
  });
}

/** The reasons that code gives to a run that ends. */
function given(): Set<string> {
  const found = new Set<string>();
  for (const path of sources().filter((path) => !ofPeople.test(path))) {
    const text = Deno.readTextFileSync(new URL(path, top));
    for (const [, reason] of text.matchAll(/\breason: "([a-z-]+)"/g)) {
      found.add(reason!);
    }
  }
  return found;
}

Deno.test("each reason of a run is explained once", () => {
  const reasons = given();
  assert(reasons.size > 90, `${reasons.size} reasons`);
  const missing = [...reasons].filter((reason) => !explained.includes(reason));
  assertEquals(missing, [], "docs/troubleshooting.md does not explain these");
  assertEquals(explained.length, new Set(explained).size, "one stands twice");
});

Deno.test("no reason is explained that nothing gives", () => {
  const code = sources().map((path) =>
    Deno.readTextFileSync(new URL(path, top))
  ).join("\n");
  const unknown = explained.filter((reason) => !code.includes(`"${reason}"`));
  assertEquals(unknown, []);
});
