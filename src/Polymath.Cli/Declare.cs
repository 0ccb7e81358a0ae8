using System.CommandLine;
using System.CommandLine.Parsing;
using System.Globalization;
using Polymath.Tensors;

namespace Polymath.Cli;

/// <summary>
/// Options and arguments in one style: checked on parsing, with messages that name the option and the values it takes,
/// and help that names the default.
/// </summary>
internal static class Declare
{
    /// <summary>A whole number from <paramref name="least"/> to <paramref name="most"/>.</summary>
    /// <param name="names">The long name, then a short one if there is one.</param>
    /// <param name="value">What help calls the value, with its unit if it has one.</param>
    /// <param name="description">What it does.</param>
    /// <param name="fallback">The default; help shows it unless <paramref name="shown"/> says something else.</param>
    /// <param name="least">Smallest value.</param>
    /// <param name="most">Largest value.</param>
    /// <param name="shown">What help says of the default; empty for nothing.</param>
    public static Option<int> Integer(
        string[] names, string value, string description, int fallback, int least = 0, int most = int.MaxValue, string? shown = null) =>
        Make(names, value, description, fallback, shown ?? fallback.ToString(CultureInfo.InvariantCulture), text =>
            int.TryParse(text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out int number) && number >= least && number <= most
                ? number : null,
            Range("a whole number", least, most, most == int.MaxValue));

    /// <summary>A number from <paramref name="least"/> to <paramref name="most"/>.</summary>
    /// <inheritdoc cref="Integer"/>
    public static Option<float> Number(
        string[] names, string value, string description, float fallback, float least = 0, float most = float.MaxValue, string? shown = null) =>
        Make(names, value, description, fallback, shown ?? fallback.ToString(CultureInfo.InvariantCulture), text =>
            float.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out float number) && number >= least && number <= most
                ? number : null,
            Range("a number", least, most, most == float.MaxValue));

    /// <summary>A tensor format by its name, one of those that <paramref name="wanted"/> lists.</summary>
    public static Option<TensorFormat> Format(string[] names, string description, TensorFormat fallback, string wanted) =>
        Make(names, "TYPE", description, fallback, fallback.ToString(), text =>
            Enum.TryParse(text, ignoreCase: true, out TensorFormat format) && Enum.IsDefined(format)
                && wanted.Replace(" or ", ", ", StringComparison.Ordinal).Split(", ").Contains(format.ToString()) ? format : null,
            wanted);

    /// <summary>A seed; none, or −1, for a new one each time.</summary>
    public static Option<ulong?> Seed(string description)
    {
        var option = new Option<ulong?>("--seed") { HelpName = "N", Description = description };
        option.CustomParser = result => result.Tokens is [{ Value: "-1" }] ? null
            : Parse<ulong>(result, text => ulong.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out ulong seed) ? seed : null,
                "a whole number from 0 to 18446744073709551615, or -1 for a new one");
        return option;
    }

    /// <summary>A text or a path.</summary>
    public static Option<string?> Text(string[] names, string value, string description)
    {
        var option = new Option<string?>(names[0], names[1..]) { HelpName = value, Description = description };
        return option;
    }

    /// <summary>Texts or paths, one each time the option is given.</summary>
    public static Option<string[]> Texts(string name, string value, string description) =>
        new(name) { HelpName = value, Description = description, Arity = ArgumentArity.OneOrMore, AllowMultipleArgumentsPerToken = false };

    /// <summary>One of some words; null where it is not given.</summary>
    public static Option<T?> Choice<T>(string name, string description, params (string Word, T Value)[] choices)
        where T : struct
    {
        var option = new Option<T?>(name) { HelpName = "WORD", Description = description };
        option.CustomParser = result => Parse<T>(
            result,
            text => Array.FindIndex(choices, choice => choice.Word == text) is >= 0 and var index ? choices[index].Value : null,
            $"{string.Join(", ", choices[..^1].Select(choice => choice.Word))} or {choices[^1].Word}");
        return option;
    }

    /// <summary>A switch.</summary>
    public static Option<bool> Switch(string name, string description) => new(name) { Description = description };

    /// <summary>A positional argument that must be there.</summary>
    public static Argument<string> Required(string name, string description) => new(name) { Description = description };

    /// <summary>A positional argument that may be left out.</summary>
    public static Argument<string?> Optional(string name, string description) =>
        new(name) { Description = description, Arity = ArgumentArity.ZeroOrOne };

    /// <summary>Positional arguments, any number of them.</summary>
    public static Argument<string[]> Several(string name, string description) =>
        new(name) { Description = description, Arity = ArgumentArity.ZeroOrMore };

    private static Option<T> Make<T>(
        string[] names, string value, string description, T fallback, string shown, Func<string, T?> parse, string wanted)
        where T : struct
    {
        var option = new Option<T>(names[0], names[1..])
        {
            HelpName = value,
            Description = shown.Length == 0 ? description : $"{description} (default: {shown})",
            DefaultValueFactory = _ => fallback,
        };
        option.CustomParser = result => Parse(result, parse, wanted) ?? fallback;
        return option;
    }

    private static T? Parse<T>(ArgumentResult result, Func<string, T?> parse, string wanted)
        where T : struct
    {
        string text = result.Tokens.Count == 1 ? result.Tokens[0].Value : "";
        T? value = parse(text);
        if (value is null)
        {
            string name = (result.Parent as OptionResult)?.IdentifierToken?.Value ?? result.Argument.Name;
            result.AddError($"{name} takes {wanted}, not \"{text}\"");
        }

        return value;
    }

    private static string Range<T>(string kind, T least, T most, bool open)
        where T : IFormattable
    {
        string low = least.ToString(null, CultureInfo.InvariantCulture), high = most.ToString(null, CultureInfo.InvariantCulture);
        return open ? $"{kind} of at least {low}" : $"{kind} from {low} to {high}";
    }
}
