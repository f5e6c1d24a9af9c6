# The options of NixOS that the module of gitops-sync uses or asks for.
{
  config,
  lib,
  pkgs,
  ...
}:
let
  inherit (lib) mkOption types;
  optionOf =
    type: default:
    mkOption {
      inherit type default;
    };
  strings = optionOf (types.listOf types.str) [ ];
  unitNames = optionOf (types.listOf unitName) [ ];
  unitName = types.strMatching "[a-zA-Z0-9@%:_.\\-]+[.](service|socket|device|mount|automount|swap|target|path|timer|scope|slice)";
  values = optionOf (types.attrsOf types.anything) { };

  unitOptions = {
    description = optionOf types.str "";
    wants = unitNames;
    after = unitNames;
    before = unitNames;
    conflicts = unitNames;
    wantedBy = unitNames;
    requiredBy = unitNames;
    onFailure = unitNames;
    onSuccess = unitNames;
    unitConfig = values;
  };

  serviceOptions = unitOptions // {
    enable = optionOf types.bool true;
    restartIfChanged = optionOf types.bool true;
    restartTriggers = optionOf (types.listOf types.unspecified) [ ];
    stopIfChanged = optionOf types.bool true;
    environment = optionOf (types.attrsOf types.str) { };
    path = optionOf (types.listOf types.package) [ ];
    serviceConfig = values;
  };

  pathOptions = unitOptions // {
    pathConfig = values;
  };

  timerOptions = unitOptions // {
    timerConfig = values;
  };

  # Definitions of a list add up, so what every service finds comes after its own.
  usualPath = [
    pkgs.coreutils
    pkgs.findutils
    pkgs.gnugrep
    pkgs.gnused
    pkgs.systemd
  ];

  textOf = value: if builtins.isBool value then (if value then "true" else "false") else toString value;

  # The lines of a section. Nothing in a value is escaped.
  linesOf =
    values:
    lib.concatStringsSep "" (
      lib.concatLists (
        lib.mapAttrsToList (
          name: value: map (one: "${name}=${textOf one}\n") (lib.toList value)
        ) values
      )
    );

  # Names of other units are one line, whatever a unit itself says is many.
  given = lib.filterAttrsRecursive (_: value: value != [ ] && value != "");
  unitText =
    unit: lines:
    ''
      [Unit]
      ${linesOf (
        unit.unitConfig
        // builtins.mapAttrs (_: toString) (given {
          Description = unit.description;
          Wants = unit.wants;
          After = unit.after;
          Before = unit.before;
          Conflicts = unit.conflicts;
          OnFailure = unit.onFailure;
          OnSuccess = unit.onSuccess;
        })
      )}
    ''
    + lines
    + lib.optionalString (unit.wantedBy != [ ]) ''

      [Install]
      WantedBy=${toString unit.wantedBy}
    '';

  # Variables are quoted as JSON is, which leaves the specifiers in them. What a
  # switch does with a changed service stands among the lines of the service.
  serviceText =
    service:
    let
      path = service.path ++ usualPath;
      environment = {
        PATH = "${lib.makeBinPath path}:${lib.makeSearchPath "sbin" path}";
      };
      # Two definitions of a variable are a conflict, as for any option.
      all =
        if service.environment ? PATH then
          throw "The option `systemd.services.NAME.environment.PATH' has conflicting definition values"
        else
          environment // service.environment;
    in
    unitText service (
      "[Service]\n"
      + linesOf {
        Environment = lib.mapAttrsToList (name: value: builtins.toJSON "${name}=${value}") all;
      }
      + lib.optionalString (
        service.restartTriggers != [ ]
      ) "X-Restart-Triggers=${toString service.restartTriggers}\n"
      + lib.optionalString (!service.restartIfChanged) "X-RestartIfChanged=false\n"
      + lib.optionalString (!service.stopIfChanged) "X-StopIfChanged=false\n"
      + linesOf service.serviceConfig
    );

  pathText = path: unitText path "[Path]\n${linesOf path.pathConfig}";

  timerText = timer: unitText timer "[Timer]\n${linesOf timer.timerConfig}";

  unitOf = name: text: unit: {
    inherit text;
    inherit (unit) requiredBy wantedBy;
    unit = pkgs.runCommand "unit-${name}" {
      content = text;
      passAsFile = [ "content" ];
    } ''mkdir $out; cp "$contentPath" "$out/${name}"'';
  };

  unitsOf =
    suffix: textOf: units:
    builtins.listToAttrs (
      map (name: {
        name = "${name}.${suffix}";
        value = unitOf "${name}.${suffix}" (textOf units.${name}) units.${name};
      }) (builtins.attrNames units)
    );

  # The links that start a unit with another, which nixpkgs makes in its place of
  # `systemctl enable`.
  linksOf =
    name: unit:
    let
      link = folder: other: ''
        mkdir -p $out/etc/systemd/system/${other}.${folder}
        ln -s ../${name} $out/etc/systemd/system/${other}.${folder}/
      '';
    in
    map (link "wants") unit.wantedBy ++ map (link "requires") unit.requiredBy;

  failed = builtins.filter (one: !one.assertion) config.assertions;
in
{
  options = {
    assertions = optionOf (types.listOf types.unspecified) [ ];
    environment.etc = values;
    environment.systemPackages = optionOf (types.listOf types.package) [ ];
    networking.hostName = optionOf types.str "demo";
    networking.proxy.envVars = values;
    nix.envVars = values;
    nix.settings = mkOption {
      type = types.submodule {
        freeformType = types.json;
        options.allowed-users = optionOf (types.listOf types.str) [ "*" ];
      };
      default = { };
    };
    nix.package = optionOf types.package pkgs.nix;
    system.autoUpgrade.enable = optionOf types.bool false;
    system.build = values;
    system.extraSystemBuilderCmds = optionOf types.str "";
    system.stateVersion = optionOf types.str "";
    systemd.package = optionOf types.package pkgs.systemd;
    systemd.paths = optionOf (types.attrsOf (types.submodule { options = pathOptions; })) { };
    systemd.services = optionOf (types.attrsOf (types.submodule { options = serviceOptions; })) { };
    systemd.tmpfiles.rules = optionOf (types.listOf types.str) [ ];
    systemd.timers = optionOf (types.attrsOf (types.submodule { options = timerOptions; })) { };
    systemd.units = values;
    users.users = values;
    users.groups = values;
  };

  config = {
    system.build.nixos-rebuild = pkgs.nixos-rebuild;
    system.build.toplevel =
      if failed != [ ] then
        throw "Failed assertions:\n${
          lib.concatStringsSep "\n" (map (one: "- ${one.message}") failed)
        }"
      else
        pkgs.runCommand "nixos-system-${config.networking.hostName}" { } (
          "mkdir -p $out/etc/systemd/system $out/sw/bin\n"
          + lib.concatMapStringsSep "" (user: "echo '${user}' >>$out/etc/users\n") (
            builtins.attrNames config.users.users
          )
          + lib.concatMapStringsSep "" (user: "echo '${user}' >>$out/etc/allowed-users\n") config.nix.settings.allowed-users
          + lib.optionalString (config.systemd.tmpfiles.rules != [ ]) ''
            mkdir -p $out/etc/tmpfiles.d
            echo '${lib.concatStringsSep "\n" config.systemd.tmpfiles.rules}' >$out/etc/tmpfiles.d/00-nixos.conf
          ''
          + lib.concatStringsSep "\n" (
            lib.mapAttrsToList (name: unit: "cp ${unit.unit}/${name} $out/etc/systemd/system/") config.systemd.units
            ++ lib.concatLists (lib.mapAttrsToList linksOf config.systemd.units)
            ++ lib.mapAttrsToList (
              name: file: ''mkdir -p "$(dirname "$out/etc/${name}")"; cp ${file.source} "$out/etc/${name}"''
            ) config.environment.etc
            ++ map (package: "ln -s ${package}/bin/* $out/sw/bin/") config.environment.systemPackages
          )
          + "\n${config.system.extraSystemBuilderCmds}"
        );
    systemd.units =
      unitsOf "service" serviceText config.systemd.services
      // unitsOf "path" pathText config.systemd.paths
      // unitsOf "timer" timerText config.systemd.timers;
  };
}
