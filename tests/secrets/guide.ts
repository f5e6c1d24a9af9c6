/**
 * The blocks of code in docs/secrets.md, for the tests that run them.
 *
 * @module
 */

/** One block. */
export interface Block {
  language: string;
  text: string;
  /** The file that it is, if its first line says so. */
  path: string | undefined;
}

const guide = new URL("../../docs/secrets.md", import.meta.url);

/** All blocks of the guide, in their order. */
export function blocks(): Block[] {
  const text = Deno.readTextFileSync(guide);
  return [...text.matchAll(/^```(\w+)\n([^]*?)^```$/gm)].map(
    ([, language, text]) => ({
      language: language!,
      text: text!,
      path: /^# ([\w./]+)\n/.exec(text!)?.[1],
    }),
  );
}

/** The lines for a host with systemd, which the others are not run on. */
export function systemdLines(): string[] {
  return blocks().filter(({ language }) => language === "sh")
    .flatMap(({ text }) => text.split("\n"))
    .filter((line) => /^(systemctl|journalctl) /.test(line));
}
