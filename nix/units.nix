# How values get into unit files: which are escaped, and which are refused because
# they can't be escaped. The rules were tested with systemd 257.
{ lib }:
let
  inherit (lib)
    concatStringsSep
    filter
    findFirst
    hasPrefix
    mapAttrs
    removePrefix
    splitString
    ;
  inherit (builtins)
    any
    elem
    isString
    match
    replaceStrings
    ;

  # `%` begins a specifier (systemd.unit(5)); `%%` stands for the sign itself.
  literal = replaceStrings [ "%" ] [ "%%" ];

  # `.` of a regular expression does not match the end of a line.
  oneLine = replaceStrings [ "\n" ] [ "\t" ];
  hasControl = text: match ".*[[:cntrl:]].*" (oneLine text) != null;

  wordsOf = path: filter (word: word != "") (splitString "/" path);
  hasDots = path: any (word: elem word [ "." ".." ]) (wordsOf path);

  # The message of the first failed check, or null; later checks depend on it.
  firstOf = checks: (findFirst (check: check.isWrong) { says = null; } checks).says;
  wrong = isWrong: says: { inherit isWrong says; };
in
rec {
  # A string in a setting of a unit.
  inherit literal;

  # Variables with literal values; NixOS puts them in quotes.
  environment = mapAttrs (_: value: if value == null then null else literal "${value}");

  # The problem with a variable, or null.
  problemOfVariable =
    name: value:
    firstOf [
      (wrong (match "[A-Za-z_][A-Za-z0-9_]*" name == null)
        "is not a valid name of a variable: expected letters, digits and _, and no digit first"
      )
      (wrong (hasControl (replaceStrings [ "\n" "\t" ] [ "" "" ] value)) "contains a control character")
    ];

  # A line of LoadCredential=, which ignores a path with duplicate slashes.
  credential =
    { credential, path, ... }: "${credential}:/${literal (concatStringsSep "/" (wordsOf path))}";

  # A path as the value of a setting for one path, without quotes.
  absolute = path: "/${literal (concatStringsSep "/" (wordsOf path))}";

  # The same in a list of paths; `-` means that it may be missing.
  perhaps = path: ''"-${absolute path}"'';

  # The problem with the path of a credential, or null. systemd loads a unit with
  # such a path. The unit then fails to start, or it starts without the file.
  problemOfPath =
    path:
    firstOf [
      (wrong (!isString path) "is not a string")
      (wrong (!hasPrefix "/" path) "is not an absolute path")
      (wrong (hasDots path) "contains . or ..")
      (wrong (
        hasControl path || match ".*[ :\\].*" path != null
      ) "contains a space, a colon or a backslash, which systemd does not accept there")
    ];

  # The problem with the name of a credential, or null.
  problemOfName =
    name:
    firstOf [
      (wrong (
        match "[A-Za-z0-9_.-]+" name == null || match "[.]+" name != null
      ) "is not a valid name of a credential: expected letters, digits and _.-")
    ];

  # The problem with a folder for systemd to create in /var/lib, or null.
  problemOfState =
    path:
    firstOf [
      (wrong (!isString path) "is not a string")
      (wrong (hasDots path) "contains . or ..")
      (wrong (
        hasControl path || match ''.*[":\].*'' path != null
      ) "contains a quote, a colon, a backslash or a control character, which systemd does not accept there")
      (wrong (
        !hasPrefix "/" path
        || !hasPrefix "var/lib/" (concatStringsSep "/" (wordsOf path))
        || hasPrefix "private/" (stateDirectory path + "/")
      ) "is not a folder in /var/lib, where systemd creates it for the service")
    ];

  # The value of StateDirectory= for a folder: one word, below /var/lib. Duplicate
  # and trailing slashes are removed.
  stateDirectory = path: removePrefix "var/lib/" (concatStringsSep "/" (wordsOf path));
  stateWord =
    path:
    let
      word = literal (stateDirectory path);
    in
    if match ".*[ '].*" word == null then word else ''"${word}"'';

  # What nixpkgs accepts as a name in OnFailure= and similar settings.
  unitName = "[a-zA-Z0-9@%:_.\\-]+[.](service|socket|device|mount|automount|swap|target|path|timer|scope|slice)";
}
