# The options of the program as those of a NixOS module, from nix/options.json,
# which is made from the program's own list, with the same names and texts.
{ lib }:
let
  inherit (lib) mkOption types;

  list = lib.importJSON ./options.json;

  # The shapes that values have; what is inside of them the program checks when
  # the configuration is built.
  typeOf =
    option:
    {
      anything = types.anything;
      choice = types.enum option.choices;
      flag = types.bool;
      list = types.listOf types.anything;
      number = types.ints.unsigned;
      text = types.str;
      texts = types.listOf types.str;
    }
    .${option.type};

  pathOf = option: lib.splitString "." option.name;

  optionOf =
    option:
    mkOption (
      {
        description = option.text;
      }
      // (
        if option ? default then
          {
            type = typeOf option;
            inherit (option) default;
          }
        else
          {
            type = types.nullOr (typeOf option);
            default = null;
          }
      )
      // lib.optionalAttrs (option ? defaultText) {
        defaultText = lib.literalMD option.defaultText;
      }
    );

  nested =
    make:
    lib.foldl' lib.recursiveUpdate { } (
      map (option: lib.setAttrByPath (pathOf option) (make option)) list
    );
in
{
  inherit list;

  # A tree of options.
  options = nested optionOf;

  # Their values in a configuration; null where nothing is given.
  valuesIn = config: nested (option: lib.getAttrFromPath (pathOf option) config);

  # The names of those that have a value by default, and none in these settings.
  lostIn =
    settings:
    map (option: option.name) (
      lib.filter (
        option: option ? default && lib.attrByPath (pathOf option) null settings == null
      ) list
    );
}
