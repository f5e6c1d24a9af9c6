# One stand-in host: its name and its knobs (see flake.nix) in, a system out.
{ revision }:
host: knobs:
let
  inherit (builtins)
    attrNames
    attrValues
    concatStringsSep
    elemAt
    isString
    mapAttrs
    replaceStrings
    toFile
    ;

  quote = text: "'${replaceStrings [ "'" ] [ "'\\''" ] (toString text)}'";
  lines = map (line: line + "\n");
  text = list: concatStringsSep "" (lines list);

  derive =
    name: script: more:
    derivation (
      {
        inherit name;
        inherit (knobs) system;
        builder = "/bin/sh";
        args = [
          "-eu"
          script
        ];
        # The tools of the machine: builds here are not sandboxed.
        PATH = "/usr/bin:/bin";
      }
      // more
    );

  # Builds a snippet and leaves a file, so that what needs it waits for it.
  dependency =
    name: snippet:
    derive name (toFile "build-${name}.sh" ''
      (set +e
      ${snippet}
      )
      echo ${quote name} >$out
    '') { };

  # What only a reboot replaces: another store path only for another kernel.
  bootParts = derive "linux-${knobs.kernel}" (toFile "linux.sh" ''
    mkdir -p "$out/kernel-modules/lib/modules/$kernel"
    echo "$kernel" >"$out/kernel"
    echo "initrd for $kernel" >"$out/initrd"
  '') { inherit (knobs) kernel; };

  # A file of the repository, by itself: the system is another one only when
  # this very file is.
  fileOf =
    path:
    builtins.path {
      path = ./. + "/${path}";
      name = replaceStrings [ "@" " " ] [ "-" "-" ] (baseNameOf path);
    };

  # "web.yaml#password" → file, key and name.
  secretOf =
    spec:
    let
      parts = builtins.split "#" spec;
      path = elemAt parts 0;
      hasKey = builtins.length parts == 3;
      key = if hasKey then elemAt parts 2 else "-";
      ageName = builtins.match "(.*)\\.age" (baseNameOf path);
      name =
        if hasKey then
          key
        else if ageName != null then
          elemAt ageName 0
        else
          baseNameOf path;
    in
    {
      inherit key name;
      file = "${fileOf path}";
      isAge = ageName != null;
    };

  # A line for switch-to-configuration; no key is "-".
  secretLine =
    spec: with secretOf spec; "${file}\t${key}\t${name}";

  installed =
    if knobs.manifest == "" then
      {
        activate = "";
        units = { };
      }
    else
      import ./installed.nix {
        inherit (knobs) keyFile manifest sops;
        secrets = map secretOf knobs.secrets;
      };

  serviceOf = service: if isString service then { command = service; } else service;

  # The command has a file of its own, so that a unit is changed only when its
  # command is.
  unitOf =
    name: given:
    let
      service = {
        type = "oneshot";
      } // serviceOf given;
      script = toFile "${name}.sh" "${service.command}\n";
      stays = if service.type == "oneshot" then "RemainAfterExit=yes\n" else "";
      more = section: text (service.${section} or [ ]);
    in
    {
      inherit script;
      inherit (service) type;
      file = toFile "${name}.service" ''
        [Unit]
        Description=${name} of the stand-in system
        ${more "unit"}[Service]
        ${more "service"}Type=${service.type}
        ${stays}ExecStart=/bin/sh ${script}
        [Install]
        WantedBy=multi-user.target
      '';
    };

  services = mapAttrs unitOf knobs.services;

  # Any unit, as it is written. A store path's name has no @.
  fileFor =
    name: unit: toFile (replaceStrings [ "@" "\\" ] [ "-at-" "-" ] name) (if unit == null then "" else unit);
  exitOf = action: toString (knobs.exit.${action} or 0);

  settings = toFile "settings" ''
    host=${quote host}
    key_file=${quote knobs.keyFile}
    bootloader=${quote knobs.bootloader}
    hang=${quote knobs.hang}
    hang_after=${quote knobs.hangAfter}
    errno=${quote knobs.errno}
    release=${quote knobs.release}
    dry_words=${quote knobs.dryWords}
    exit_test=${quote (exitOf "test")}
    exit_boot=${quote (exitOf "boot")}
    exit_switch=${quote (exitOf "switch")}
  '';
in
derive "nixos-system-${host}-stand-in" (fileOf "build.sh") {
  inherit host settings;
  inherit (knobs) greeting;
  boot_parts = bootParts;
  revision = if knobs.revision then revision else "";
  snippet = knobs.build;
  activation = toFile "activation.sh" knobs.activation;
  script = fileOf "switch-to-configuration.sh";
  secrets = text (map secretLine knobs.secrets);
  inherit (installed) activate;
  # name and file of each unit of an installer, a line each.
  installers = text (map (name: "${name}\t${installed.units.${name}}") (attrNames installed.units));
  # name, unit file, script and type of each service, a line each.
  services = text (
    map (
      name: with services.${name}; "${name}\t${file}\t${script}\t${type}"
    ) (attrNames services)
  );
  # name and file of each other unit, a line each.
  units = text (map (name: "${name}\t${fileFor name knobs.units.${name}}") (attrNames knobs.units));
  inherit (knobs) fstab;
  user_activation = knobs.userActivation;
  # name and file of each check, a line each.
  pre_switch_checks = text (
    map (name: "${name}\t${toFile name knobs.preSwitchChecks.${name}}") (attrNames knobs.preSwitchChecks)
  );
  dependencies = attrValues (mapAttrs dependency knobs.dependencies);
}
