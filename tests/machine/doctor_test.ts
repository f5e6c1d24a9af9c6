import { assert, assertEquals, assertMatch } from "@std/assert";
import type { Settings } from "../world/host.ts";
import { makeRepository } from "../world/repository.ts";
import { letIsolate } from "./isolation.ts";
import { Machine } from "./machine.ts";

const refusal = await Machine.refusal();
if (refusal) console.log(`doctor is not tested here: ${refusal}`);

const units = {
  "gitops-sync.service": "[Service]\nType=oneshot\nExecStart=/bin/true\n",
  "gitops-sync.timer":
    "[Timer]\nOnBootSec=1d\nOnUnitInactiveSec=1d\n[Install]\nWantedBy=timers.target\n",
  "notify.service": "[Service]\nExecStart=/bin/true\n",
};

/** A token that no output may show. */
const token = "ghp_0123456789abcdefghijABCDEFGHIJ";

interface Answer {
  exit: number;
  checks: { name: string; state: string; text: string; hints: string[] }[];
}

/** What is wrong with a host, and what doctor says of it. */
interface Damage {
  what: string;
  settings?: Settings;
  /** Shell words that break the host, and those that mend it. */
  breaks?: string;
  mends?: string;
  /** The check that finds it, how it stands, and what it says. */
  check: string;
  state?: "problem" | "warning" | "unknown";
  says: RegExp;
  /** A hint; what it captures is a command, which is typed. */
  hint?: RegExp;
  /** What a person does who obeys a hint that is no command. */
  obeys?: string | Settings;
  /** What is found then, one after the other, until all is well. */
  then?: readonly Step[];
}

/** What doctor says next, and what a person does who obeys that. */
interface Step {
  check: string;
  says: RegExp;
  /** Gets what the last command printed, which may say what to type next. */
  obeys?: (printed: string) => string;
}

/** In a checkout on the machine, pushed to what the host follows. */
const inCheckout = (line: string, ...flags: string[]) =>
  `export HOME=/root; cd /srv/infra; git config --global safe.directory '*'; ${line}; ` +
  `git -c user.name=Ada -c user.email=ada@example.org ${flags.join(" ")} ` +
  "commit --quiet --all --allow-empty --message Mended; " +
  "git push --quiet file:///srv/infra.git HEAD:main";

/** Each round is one look at damages that do not hide each other. */
const rounds: readonly { exit: number; damages: readonly Damage[] }[] = [
  {
    exit: 6,
    damages: [
      {
        what: "the timer is stopped",
        breaks: "systemctl stop gitops-sync.timer",
        check: "timer",
        says: /gitops-sync\.timer is inactive/,
        hint: /^start it: (systemctl start gitops-sync\.timer)$/,
      },
      {
        what: "another agent switches the host",
        breaks: "systemd-run --unit=comin.service sleep 600",
        check: "others",
        state: "warning",
        says: /comin\.service/,
        hint: /services\.comin/,
        obeys: "systemctl stop comin.service",
      },
      {
        what: "a hook's program is missing",
        settings: { "hooks.onFailure": [["mail-the-admin"]] },
        check: "programs",
        says: /hooks\.onFailure: mail-the-admin/,
        hint: /^name the program with its path/,
        obeys: { "hooks.onFailure": [["/bin/true"]] },
      },
      {
        what: "the host is suspended",
        breaks:
          'echo \'{"since":"2026-01-02T03:04:05Z","until":null,"reason":"moving"}\' >/var/lib/gitops-sync/suspended.json',
        check: "state",
        state: "warning",
        says: /suspended \(moving\)/,
        hint: /^run (gitops-sync resume)$/,
      },
      {
        what: "there is too little room",
        settings: { "preflight.freeSpace": "900T" },
        check: "space",
        says: /preflight\.freeSpace/,
        hint: /^Free some space: /,
        // No garbage makes so much.
        obeys: { "preflight.freeSpace": "1M" },
      },
      {
        what: "the boot loader starts another system",
        breaks:
          "cp -r /boot/loader /root; sed -i 's,init=/nix/store/,&x,' /boot/loader/entries/*",
        mends: "rm -r /root/loader",
        check: "boot-loader",
        says: /systemd-boot starts .*, not the deployed system/,
        hint: /^run (gitops-sync sync --drift correct)$/,
      },
    ],
  },
  {
    exit: 3,
    damages: [
      {
        what: "there is no timer",
        breaks:
          "systemctl stop gitops-sync.timer; mv /etc/systemd/system/gitops-sync.timer /root; systemctl daemon-reload",
        obeys:
          "mv /root/gitops-sync.timer /etc/systemd/system; systemctl daemon-reload; systemctl start gitops-sync.timer",
        check: "timer",
        says: /there is no gitops-sync\.timer/,
        hint: /services\.gitops\.enable = true/,
      },
      {
        what: "a unit to start is missing",
        settings: { onFailure: ["notify.service", "ntfy.service"] },
        check: "programs",
        says: /onFailure: ntfy\.service$/,
        hint: /^add the unit .* name another one$/,
        obeys: { onFailure: ["notify.service"] },
      },
      {
        what: "no boot loader is known",
        breaks: "mv /boot/loader /root",
        obeys: "mv /root/loader /boot",
        check: "boot-loader",
        // What was deployed is known to be started by one.
        state: "warning",
        says: /what a reboot starts can't be checked/,
        hint: /findmnt \/boot$/,
      },
      {
        what: "Vault is away",
        settings: { "vault.address": "http://127.0.0.1:9" },
        check: "vault",
        says: /127\.0\.0\.1:9/,
        hint: /vault\.address has the right name and port$/,
        obeys: { "vault.address": undefined },
      },
      {
        what: "a named key is missing",
        settings: { "secrets.identities": ["/root/none.key"] },
        check: "keys",
        says: /Cannot use the identity \/root\/none\.key/,
        hint: /^create a key with: sudo (gitops-sync secrets keygen \S+)/,
      },
      {
        what: "the branch is missing",
        settings: { ref: "mian" },
        check: "ref",
        says: /no branch or tag mian/,
        hint: /did you mean main\?/,
        obeys: { ref: "main" },
      },
    ],
  },
  {
    exit: 6,
    damages: [
      {
        what: "it is down and must isolate",
        settings: { "build.isolate": "true" },
        breaks:
          "systemctl stop nix-daemon.socket nix-daemon.service; rm -f /nix/var/nix/daemon-socket/socket",
        check: "nix-daemon",
        says: /no Nix daemon/,
        hint: /^start it: (systemctl restart nix-daemon\.socket)$/,
      },
      {
        what: "the token file is missing",
        settings: { tokenFile: "/etc/gitops-sync/none" },
        check: "credentials",
        says: /tokenFile\) does not exist/,
        obeys:
          "echo token >/etc/gitops-sync/none; chmod 600 /etc/gitops-sync/none",
      },
    ],
  },
  {
    exit: 6,
    damages: [
      {
        what: "the Nix daemon is down",
        breaks: "systemctl stop nix-daemon.socket nix-daemon.service",
        check: "nix-daemon",
        says: /does not answer: error: /,
        hint: /^start it: (systemctl restart nix-daemon\.socket)$/,
      },
      {
        what: "the token file is empty",
        settings: { tokenFile: "/root/empty" },
        breaks: ": >/root/empty",
        check: "credentials",
        says: /is empty/,
        obeys: "echo token >/root/empty; chmod 600 /root/empty",
      },
    ],
  },
  {
    exit: 3,
    damages: [
      {
        what: "no server is there, and a token must not show",
        settings: {
          repository: "https://127.0.0.1:9/infra.git",
          tokenFile: "/root/token",
        },
        breaks: `printf %s ${token} >/root/token`,
        check: "repository",
        says: /Cannot reach https:\/\/127\.0\.0\.1:9\/infra\.git/,
        hint: /^check this host's network/,
        obeys: { repository: undefined, tokenFile: undefined },
      },
    ],
  },
  {
    exit: 6,
    damages: [
      {
        what: "no key opens the secrets",
        breaks: "mv /etc/ssh/age.key /root",
        check: "keys",
        state: "warning",
        says: /has no key/,
        hint: /^create one: (gitops-sync secrets keygen)$/,
        // The new key opens nothing before somebody who can has added it.
        then: [{
          check: "secrets",
          says: /^0 files can be decrypted, 1 for others$/,
          obeys: (printed) => {
            const line = /^ *(gitops-sync secrets add-host .*) FILE…$/m
              .exec(printed)?.[1];
            assert(line, printed);
            return inCheckout(
              `SOPS_AGE_KEY_FILE=/root/age.key ${line} secrets/demo.yaml`,
            );
          },
        }, { check: "secrets", says: /^1 file can be decrypted$/ }],
      },
      {
        what: "the host is missing",
        settings: { host: "dmeo" },
        check: "host",
        says: /no nixosConfigurations\.dmeo: it has demo/,
        hint: /host: demo/,
        obeys: { host: "demo" },
      },
    ],
  },
  {
    exit: 6,
    damages: [
      {
        what: "the flake is in another folder",
        settings: { directory: "hosts" },
        check: "host",
        says: /Cannot list the hosts/,
        hint: /set `directory` to that folder/,
        obeys: { directory: "" },
      },
    ],
  },
  {
    exit: 4,
    damages: [
      {
        what: "signatures are asked for, and nobody signed",
        settings: {
          "verify.mode": "head",
          "verify.allowedSigners": "/root/none",
        },
        check: "revision",
        says: /Cannot|signed/,
        hint: /^fix the files of verify\.allowedSigners/,
        obeys:
          "ssh-keygen -q -t ed25519 -N '' -f /root/signer; sed 's/^/ada@example.org /' /root/signer.pub >/root/none",
        then: [{
          check: "revision",
          says: /is not signed/,
          obeys: () =>
            inCheckout(
              "true",
              "-c gpg.format=ssh -c user.signingKey=/root/signer",
              "-c commit.gpgSign=true",
            ),
        }, { check: "revision", says: /signed by ada@example\.org/ }],
      },
    ],
  },
  {
    exit: 2,
    damages: [
      {
        what: "others may write to the state folder",
        breaks: "chmod 777 /var/lib/gitops-sync",
        obeys:
          "chown -R root: /var/lib/gitops-sync; chmod -R go-w /var/lib/gitops-sync",
        check: "state",
        says: /Cannot trust \/var\/lib\/gitops-sync/,
        hint: /chown -R root: and chmod -R go-w on the state folder/,
      },
    ],
  },
];

Deno.test({
  name: "doctor finds each damage of a host, and its hints mend it",
  ignore: refusal !== null,
  fn: async () => {
    await using machine = await Machine.boot();
    await letIsolate(machine);
    const repository = await makeRepository(`${machine.shared}/infra`);
    const key = await machine.makeKey();
    const secret = await machine.encrypt(key, "password: sesame\n");
    const rules =
      `creation_rules:\n  - path_regex: secrets/.*\n    age: ${key}\n`;
    await repository.publish("The first system", {
      files: { ".sops.yaml": rules, "secrets/demo.yaml": secret },
    });
    machine.configure(repository);
    const first = await machine.sync();
    assertEquals(first.code, 0, first.stderr);
    for (const [name, text] of Object.entries(units)) {
      machine.write(`/etc/systemd/system/${name}`, text);
    }
    const sh = (line: string) => machine.output(["sh", "-c", line]);
    await sh("systemctl daemon-reload; systemctl start gitops-sync.timer");
    const before = await sh("ls -A /var/lib/gitops-sync");

    /** Every word of both outputs is looked through for secrets. */
    const ask = async (): Promise<Answer> => {
      const { stdout, stderr } = await machine.sync("doctor", "--json");
      assert(!`${stdout}${stderr}`.includes(token.slice(4)));
      assert(!`${stdout}${stderr}`.includes("sesame"));
      return JSON.parse(stdout);
    };
    const wellNow = async (when: string) => {
      const { exit, checks } = await ask();
      const bad = checks.filter(({ state, name }) =>
        // The machine has no time server, and units of its own may fail.
        state !== "ok" && !["clock", "systemd"].includes(name)
      );
      assertEquals(bad, [], when);
      assertEquals(exit, 0);
    };
    await wellNow("at first");
    assertEquals(await sh("ls -A /var/lib/gitops-sync"), before);

    /** Types what a hint says, or does as it says. */
    const obey = async (damage: Damage, hints: readonly string[]) => {
      const { what, hint, obeys } = damage;
      const found = hints.map((one) => hint?.exec(one)).find((one) => one);
      if (hint) assert(found, `${what}: ${hints.join("\n")}`);
      const line = found?.[1] ?? obeys;
      assert(line !== undefined, `${what}: nothing mends it`);
      return typeof line === "string" ? await sh(line) : "";
    };
    const checkOf = ({ checks }: Answer, name: string) =>
      checks.find((one) => one.name === name)!;
    /** Goes on with what doctor says next. */
    const follow = async ({ what, then = [] }: Damage, first: string) => {
      let printed = first;
      for (const { check, says, obeys } of then) {
        const { text } = checkOf(await ask(), check);
        assertMatch(text, says, what);
        if (obeys) printed = await sh(obeys(printed));
      }
    };
    for (const { exit, damages } of rounds) {
      const settings = damages.map(({ settings }) => settings ?? {});
      machine.configure(repository, Object.assign({}, ...settings));
      for (const { breaks } of damages) if (breaks) await sh(breaks);
      const answer = await ask();
      for (const { what, check, state = "problem", says } of damages) {
        const found = checkOf(answer, check);
        assertEquals(found.state, state, `${what}: ${found.text}`);
        assertMatch(found.text, says, what);
      }
      const what = damages.map(({ what }) => what).join(", ");
      assertEquals(answer.exit, exit, what);

      // Who does as the hints say has a host that is well.
      const obeyed = damages.map(({ obeys }) =>
        typeof obeys === "object" ? obeys : {}
      );
      const after = Object.assign({}, ...settings, ...obeyed);
      const kept = Object.entries(after).filter(([, value]) =>
        value !== undefined
      );
      machine.configure(repository, Object.fromEntries(kept));
      const printed: string[] = [];
      for (const damage of damages) {
        printed.push(await obey(damage, checkOf(answer, damage.check).hints));
      }
      for (const [i, damage] of damages.entries()) {
        await follow(damage, printed[i]!);
      }
      await wellNow(what);
      for (const { mends } of damages) if (mends) await sh(mends);
    }
    machine.configure(repository);
    await wellNow("afterwards");

    // Who is not root sees less, and is told what.
    const user = await machine.run([
      ...["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"],
      ...["env", "HOME=/tmp", "gitops-sync", "doctor"],
    ]);
    if (user.code === 126) {
      console.log("not tested here: this program can't be run by others");
    } else {
      assertMatch(user.stdout, /^! rights +not root/m, user.stderr);
      assertMatch(user.stdout, /^\? state +not checked: only root/m);
      assertMatch(user.stdout, /^[✓✗?] repository/m);
      assert(user.code !== 0);
    }

    // It waits for a run that ends soon.
    const short = machine.start([
      ...["flock", "/var/lib/gitops-sync/lock", "sleep", "5"],
    ]);
    await machine.output([
      ...[
        "sh",
        "-c",
        "while flock -n /var/lib/gitops-sync/lock true; do :; done",
      ],
    ]);
    assertEquals(
      (await ask()).checks.find(({ name }) => name === "idle")?.state,
      "ok",
    );
    await short.ended;

    // A run in progress is not disturbed.
    const holder = machine.start([
      ...["flock", "/var/lib/gitops-sync/lock", "sleep", "600"],
    ]);
    try {
      for (let i = 0; i < 100; i++) {
        const { code } = await machine.run([
          ...["flock", "-n", "/var/lib/gitops-sync/lock", "true"],
        ]);
        if (code !== 0) break;
      }
      const { exit, checks } = await ask();
      const stateOf = (name: string) =>
        checks.find((one) => one.name === name)!.state;
      assertEquals(stateOf("idle"), "problem");
      assertEquals(["isolation", "revision", "host"].map(stateOf), [
        ...["unknown", "unknown", "unknown"],
      ]);
      assertEquals(exit, 10);
    } finally {
      holder.kill();
      await holder.ended.catch(() => {});
    }
  },
});
