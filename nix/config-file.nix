# Files of settings. The build of such a file asks the programs that read it, so a
# mistake ends the build of the system and not a run on the host.
{ lib, pkgs }:
let
  inherit (lib) concatMapStringsSep escapeShellArg escapeShellArgs;

  json = pkgs.formats.json { };

  # Where the build can't start them nothing is asked: the host will.
  canAsk = pkgs.stdenv.buildPlatform.canExecute pkgs.stdenv.hostPlatform;
in
{
  # The settings as a file.
  #
  # asked: what the program is asked about in place of the settings.
  # flags: more arguments of that question.
  # spans, dates: times for systemd, each with its option; `systemd` reads them.
  # optionsOf: the options that the messages of the program are about.
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
