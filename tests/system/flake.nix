# A stand-in for a fleet of NixOS hosts: what `nixos-rebuild build` needs, and a
# system that can be switched to, without nixpkgs. Built in half a second.
#
# Copy this folder into a Git repository (its top or a folder of it) and say in
# host.json what the hosts are. Every key may be left out:
#
#   hosts         ["demo"]: the names. Or {"a": {}, "b.example.org": {KEY: …}}:
#                 the names, each with keys that replace those of the top.
#   system        "x86_64-linux": must be the machine's (nothing impure is read).
#   revision      true: the system knows its commit, so each commit is another
#                 store path. false: a commit that changes nothing is the same.
#   greeting      text, found in /run/current-system/etc/greeting.
#   kernel        text: another kernel is a reason to reboot.
#   secrets       ["secrets.yaml", "web.yaml#password", "x.age"]: files that
#                 activation decrypts to /run/secrets/NAME, mode 0400; after #
#                 one top-level key of a sops file, and then NAME is the key.
#   manifest      "script" or "systemd": the system carries what sops-nix and
#                 agenix leave in a real one, from which one can read what it
#                 will decrypt: in its activation script, or in units.
#   sops          {"ageSshKeyPaths": [], "sshKeyPaths": [], "gnupgHome": PATH,
#                 "environment": {}}: what that manifest, and the call of
#                 sops-install-secrets, say beside keyFile ("" for none). For
#                 builds: the stand-in's own activation reads keyFile alone.
#   keyFile       "/etc/ssh/age.key": the host's age identity.
#   services      {"web": COMMAND}: a unit web.service that runs a shell command
#                 (oneshot, then "active"); one that exits non-zero has failed.
#                 Or {"web": {"command": COMMAND, "type": "simple"}}: a daemon,
#                 where systemd runs. With "unit" and "service", lists of more
#                 lines for these sections of its unit file.
#   units         {"web.socket": TEXT}: any other unit as it is written; null
#                 masks it. WantedBy= and DefaultInstance= of its [Install] count.
#   fstab         the text of /etc/fstab.
#   userActivation a shell snippet that is run as each user that logind knows of;
#                 if it fails, exit code 4.
#   preSwitchChecks {"NAME": SNIPPET}: if one fails, the switch ends with 1 before it
#                 changes anything, unless NIXOS_NO_CHECK=1. As in nixpkgs, one
#                 called switchInhibitors is not asked by `boot`.
#   activation    a shell snippet of the activation; if it fails, exit code 2.
#   build         a shell snippet of the build: "echo no; exit 1" breaks it.
#   dependencies  {"app": SNIPPET}: derivations that the system needs, built
#                 first, each with a snippet of its own.
#   exit          {"test": N, "boot": N, "switch": N}: a forced exit code. 1, 11
#                 and 100 end before anything was changed, others at the end.
#   errno         a number that the switch ends with when units were stopped, as
#                 after an error of D-Bus; 0: it does not.
#   release       "24.11": the switch first waits until the host has booted.
#   bootloader    "silent": the bootloader is not installed, and no exit code
#                 says so.
#   dryWords      more lines that a dry activation writes, as activation scripts do.
#   hang          seconds that `test` and `switch` wait before they change
#                 anything; hangAfter: when all is changed, before they end.
#
# What the switch does is told in switch-to-configuration.sh.
{
  description = "Stand-in NixOS hosts for gitops-sync";

  outputs =
    { self }:
    let
      given = builtins.fromJSON (builtins.readFile ./host.json);
      defaults = {
        hosts = [ "demo" ];
        system = "x86_64-linux";
        revision = true;
        greeting = "hello";
        kernel = "6.12.1";
        secrets = [ ];
        manifest = "";
        sops = { };
        keyFile = "/etc/ssh/age.key";
        services = { };
        units = { };
        fstab = "";
        userActivation = "";
        preSwitchChecks = { };
        activation = "";
        build = "";
        dependencies = { };
        exit = { };
        errno = 0;
        release = "26.05";
        bootloader = "works";
        dryWords = "";
        hang = 0;
        hangAfter = 0;
      };
      hosts = (defaults // given).hosts;

      # A misspelt key would quietly test something else.
      known =
        knobs:
        let
          unknown = builtins.filter (name: !(defaults ? ${name})) (builtins.attrNames knobs);
        in
        if unknown == [ ] then
          knobs
        else
          throw "host.json: unknown key ${builtins.head unknown}; known: ${toString (builtins.attrNames defaults)}";

      knobsOf =
        host: defaults // known given // (if builtins.isAttrs hosts then known hosts.${host} else { });
      names = if builtins.isAttrs hosts then builtins.attrNames hosts else hosts;
      standIn = import ./system.nix { revision = self.rev or "dirty"; };
    in
    {
      nixosConfigurations = builtins.listToAttrs (
        map (host: {
          name = host;
          value.config.system.build.toplevel = standIn host (knobsOf host);
        }) names
      );
    };
}
