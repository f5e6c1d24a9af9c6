/**
 * Unit files as text (systemd.syntax(7)): reads one, and makes another of it
 * that checks instead of works.
 *
 * @module
 */

/** One line of a unit file. */
interface Setting {
  section: string;
  key: string;
  value: string;
}

/** Reads the settings of a unit file, in their order. */
export function settingsOf(text: string): Setting[] {
  const settings: Setting[] = [];
  let section = "";
  const whole = text.split("\n").filter((line) => !/^\s*[#;]/.test(line))
    .join("\n").replace(/\\\n/g, " ");
  for (const line of whole.split("\n")) {
    const head = /^\s*\[(.+)\]\s*$/.exec(line)?.[1];
    if (head !== undefined) section = head;
    const [, key, value] = /^\s*([A-Za-z][\w-]*)\s*=\s*(.*?)\s*$/.exec(line) ??
      [];
    if (head === undefined && key !== undefined) {
      settings.push({ section, key, value: value! });
    }
  }
  return settings;
}

/** The value that counts of a key that is set to one value. */
export function lastValue(
  settings: readonly Setting[],
  key: string,
): string | undefined {
  return settings.findLast((one) => one.key === key)?.value;
}

/**
 * What the copy of a unit must not have: what it starts, what begins when it
 * ends, and what is its own alone.
 */
const leftOut = [
  /^Exec/,
  /^X-/,
  /^(On|Job|StartLimit)/,
  /^(Success|Failure)(Action|Exit)/,
  /^Restart/,
  /^(Timeout|RuntimeMax|Watchdog)/,
  /^RuntimeDirectory/,
  /^Standard/,
  /^(Type|RemainAfterExit|Description|BusName|PIDFile)$/,
];

/**
 * A oneshot service with the sandbox, the environment and the credentials of
 * another one, which runs another program.
 *
 * @param settings Those of the other service.
 * @param own What this one has of its own, in `[Service]`.
 */
export function copyOf(
  settings: readonly Setting[],
  description: string,
  own: readonly string[],
): string {
  const linesOf = (wanted: string) =>
    settings.filter(({ section, key }) =>
      section === wanted && !leftOut.some((pattern) => pattern.test(key))
    ).map(({ key, value }) => `${key}=${value}`);
  return [
    "[Unit]",
    `Description=${description}`,
    ...linesOf("Unit"),
    "[Service]",
    ...linesOf("Service"),
    "Type=oneshot",
    ...own,
    "",
  ].join("\n");
}
