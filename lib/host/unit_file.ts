/**
 * Reads unit files (systemd.syntax(7)), and makes a copy of a unit that checks
 * instead of working.
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

/** Returns the effective value of a key that has one value. */
export function lastValue(
  settings: readonly Setting[],
  key: string,
): string | undefined {
  return settings.findLast((one) => one.key === key)?.value;
}

/**
 * What the copy of a unit must not have: its programs, what starts when it
 * ends, and what only one unit can have.
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
 * Returns a oneshot service that runs another program, with the sandbox, the
 * environment and the credentials of the given service.
 *
 * @param settings The settings of the given service.
 * @param own More lines for `[Service]`.
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
