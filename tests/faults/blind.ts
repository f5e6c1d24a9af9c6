/**
 * Programs that answer with an error, nothing, nonsense or half of it, for as
 * long as that is asked for.
 *
 * @module
 */
import type { Host } from "../world/host.ts";

const programs = [
  "git",
  "nix",
  "nix-env",
  "nix-store",
  "nixos-rebuild",
  "systemctl",
  "systemd-run",
  "journalctl",
  "loginctl",
];

/** What stands before such a program on PATH. */
function script(name: string, real: string, folder: string): string {
  return `#!/bin/sh
read -r name from to answer 2>/dev/null <${folder}/control || name=none
[ "$name" = ${name} ] || exec ${real} "$@"
calls=$(($(cat ${folder}/calls 2>/dev/null || echo 0) + 1))
echo $calls >${folder}/calls
{ [ $calls -ge "$from" ] && [ $calls -le "$to" ]; } || exec ${real} "$@"
: >${folder}/hit
case $answer in
fails) exit 1 ;;
'is killed') kill -KILL $$ ;;
'says nothing') exit 0 ;;
'says odd things') printf 'x=y: 1\\n\\0{}\\n' ;;
'says half')
	${real} "$@" >${folder}/answer
	code=$?
	head -c $(($(wc -c <${folder}/answer) / 2)) ${folder}/answer
	exit $code
	;;
esac
`;
}

/** The programs of one host. */
export class Blind {
  private constructor(
    readonly host: Host,
    /** Their folder, which comes first on PATH. */
    readonly folder: string,
    /** Where they are told what to do; a reboot may take it away. */
    readonly control: string,
  ) {}

  static async make(
    host: Host,
    folder: string,
    control: string,
  ): Promise<Blind> {
    for (const name of programs) {
      const { stdout, code } = await host.run(
        ["sh", "-c", `command -v ${name}`],
      );
      if (code !== 0) continue;
      const text = script(name, stdout.trim(), control);
      await host.output(["mkdir", "-p", folder]);
      await host.output(["sh", "-c", `cat >${folder}/${name}`], {
        input: text,
      });
      await host.output(["chmod", "755", `${folder}/${name}`]);
    }
    return new Blind(host, folder, control);
  }

  async set(name: string, answer: string, from: number, to: number) {
    const { control } = this;
    await this.host.output([
      "sh",
      "-c",
      `mkdir -p ${control}; rm -f ${control}/*; echo "$1" >${control}/control`,
      "set",
      `${name} ${from} ${to} ${answer}`,
    ]);
  }

  async wasHit(): Promise<boolean> {
    const { code } = await this.host.run(["test", "-e", `${this.control}/hit`]);
    return code === 0;
  }
}
