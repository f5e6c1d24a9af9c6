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
  values = optionOf (types.attrsOf types.anything) { };

  unitOptions = {
    description = optionOf types.str "";
    wants = strings;
    after = strings;
    before = strings;
    wantedBy = strings;
    onFailure = strings;
    onSuccess = strings;
    unitConfig = values;
  };

  serviceOptions = unitOptions // {
    enable = optionOf types.bool true;
    restartIfChanged = optionOf types.bool true;
    stopIfChanged = optionOf types.bool true;
    environment = optionOf (types.attrsOf types.str) { };
    path = optionOf (types.listOf types.package) [ ];
    serviceConfig = values;
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

  linesOf =
    name: value:
    if builtins.isList value then
      map (one: "${name}=${textOf one}") value
    else
      [ "${name}=${textOf value}" ];

  section =
    name: values:
    lib.concatStringsSep "\n" (
      [ "[${name}]" ] ++ builtins.concatLists (lib.mapAttrsToList linesOf values)
    );

  given = lib.filterAttrsRecursive (_: value: value != [ ] && value != "");

  unitSection =
    unit: more:
    section "Unit" (
      given {
        Description = unit.description;
        Wants = unit.wants;
        After = unit.after;
        Before = unit.before;
        OnFailure = unit.onFailure;
        OnSuccess = unit.onSuccess;
      }
      // more
      // unit.unitConfig
    );

  serviceText =
    service:
    let
      environment = service.environment // {
        PATH = lib.makeBinPath (service.path ++ usualPath);
      };
    in
    lib.concatStringsSep "\n\n" [
      (unitSection service (
        lib.optionalAttrs (!service.restartIfChanged) { X-RestartIfChanged = false; }
      ))
      (section "Service" (
        service.serviceConfig
        // {
          Environment = lib.mapAttrsToList (name: value: builtins.toJSON "${name}=${value}") environment;
        }
      ))
    ]
    + "\n";

  timerText =
    timer:
    lib.concatStringsSep "\n\n" [
      (unitSection timer { })
      (section "Timer" timer.timerConfig)
    ]
    + "\n";

  unitOf = name: text: {
    inherit text;
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
        value = unitOf "${name}.${suffix}" (textOf units.${name});
      }) (builtins.attrNames units)
    );

  failed = builtins.filter (one: !one.assertion) config.assertions;
in
{
  options = {
    assertions = optionOf (types.listOf types.anything) [ ];
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
    system.stateVersion = optionOf types.str "";
    systemd.services = optionOf (types.attrsOf (types.submodule { options = serviceOptions; })) { };
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
          + lib.concatStringsSep "\n" (
            lib.mapAttrsToList (name: unit: "cp ${unit.unit}/${name} $out/etc/systemd/system/") config.systemd.units
            ++ lib.mapAttrsToList (
              name: file: ''mkdir -p "$(dirname "$out/etc/${name}")"; cp ${file.source} "$out/etc/${name}"''
            ) config.environment.etc
            ++ map (package: "ln -s ${package}/bin/* $out/sw/bin/") config.environment.systemPackages
          )
        );
    systemd.units =
      unitsOf "service" serviceText config.systemd.services
      // unitsOf "timer" timerText config.systemd.timers;
  };
}
