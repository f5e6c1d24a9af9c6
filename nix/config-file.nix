# Configuration files. Their build runs the check of the programs that read them,
# so a mistake ends the build of the system and not a run on the host.
{ lib, pkgs }:
let
  inherit (lib) concatMapStringsSep escapeShellArg escapeShellArgs;

  json = pkgs.formats.json { };

  # If the build can't start them, nothing is checked: the host will do that.
  canAsk = pkgs.stdenv.buildPlatform.canExecute pkgs.stdenv.hostPlatform;
in
{
  # The settings as a file.
  #
  # asked: the settings that the program checks, if they differ.
  # flags: more arguments of that check.
  # spans, dates: times for systemd, each with its option; `systemd` checks them.
  # optionsOf: where NixOS has the options, for messages.
  make =
    {
      name,
      settings,
      package,
      asked ? settings,
      flags ? [ ],
      optionsOf,
      spans ? [ ],
      dates ? [ ],
      systemd ? null,
    }:
    pkgs.runCommand name { } (
      lib.optionalString (canAsk && spans ++ dates != [ ]) ''
        PATH=$PATH:${lib.getBin systemd}/bin
        zoneinfo=${pkgs.tzdata}/share/zoneinfo
        . ${./timing.sh}
        ${concatMapStringsSep "\n" (
          span: "check_span ${escapeShellArgs [ span.option span.value span.kind span.example ]}"
        ) spans}
        ${concatMapStringsSep "\n" (date: "check_calendar ${escapeShellArgs [ date.option date.value ]}") dates}
      ''
      + lib.optionalString canAsk ''
        HOME=$TMPDIR ${lib.getExe package} config check \
          --config ${json.generate "asked-${name}" asked} ${escapeShellArgs flags} || {
          echo ${escapeShellArg "hint: set these options in NixOS under ${optionsOf}"} >&2
          exit 1
        }
      ''
      + ''
        cp ${json.generate name settings} $out
      ''
    );
}
