import { deployed, runs, syncTo, test } from "./setting.ts";

const mirror = "/var/lib/gitops-sync/repo";
const git = `${mirror}/.git`;

/** Ways in which a crash or a person can leave the mirror. */
const damages: readonly [what: string, script: string][] = [
  ["a file in its place", `rm -r ${mirror}; echo x >${mirror}`],
  ["a file in the place of .git", `rm -r ${git}; echo x >${git}`],
  ["no folder for packs", `rm -r ${git}/objects/pack`],
  [
    "a broken index of packs and an alternate that is gone",
    `echo garbage >${git}/objects/pack/multi-pack-index
     echo /nonexistent >${git}/objects/info/alternates`,
  ],
  ["an empty HEAD", `: >${git}/HEAD`],
  // A Git that is killed while it makes the mirror, moves a name, or packs.
  ["a lock in place of HEAD", `mv ${git}/HEAD ${git}/HEAD.lock`],
  [
    "locks of files",
    `touch ${git}/HEAD.lock ${git}/config.lock ${git}/packed-refs.lock ${git}/objects/maintenance.lock`,
  ],
];

test("a damaged mirror is made again, whatever the damage", async (world) => {
  const { repository } = await deployed(world);
  for (const [what, script] of damages) {
    await world.output(["sh", "-c", script]);
    const revision = await repository.publish(`After ${what}`);
    await syncTo(world, 0);
    runs(world, revision);
  }
});
