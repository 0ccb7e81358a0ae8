using System.CommandLine;
using System.Globalization;
using System.Text;
using Polymath.Files;
using Polymath.Models;

namespace Polymath.Cli.Commands;

/// <summary>Describes a model file.</summary>
internal sealed class ShowCommand : CliCommand
{
    private const int ElementsShown = 6;
    private const int TextShown = 100;

    private readonly Argument<string?> _model = Declare.Optional(
        "MODEL", $"{ModelArgument.Forms} (default: ${DefaultModel.Variable}, else the model in models/).");
    private readonly Option<bool> _all = Declare.Switch("--all", "Whole arrays and texts instead of their beginnings.");
    private readonly Option<bool> _json = Declare.Switch("--json", "One JSON object.");

    public ShowCommand()
        : base("show", "Describe a model: size, settings, metadata, tensors.")
    {
        Add(_model);
        AddGroup("Options", _all, _json);
        Notes = ["Shapes are [rows, columns]: the row length last. Characters that could disturb the terminal are shown as \\u{hex}."];
        AddExample("polymath show model.gguf", "Everything about a file.");
        AddExample("polymath show model.gguf --json --all", "The same for a program, with the whole vocabulary.");
    }

    public override int Execute(ParseResult parse, Terminal terminal)
    {
        using WeightSource source = WeightSource.Open(ModelArgument.Resolve(parse.GetValue(_model), terminal));
        bool all = parse.GetValue(_all);
        if (parse.GetValue(_json))
            ShowJson.Write(source, all ? int.MaxValue : ElementsShown, terminal);
        else
            WriteText(source, all, terminal);
        return ExitCode.Success;
    }

    private static void WriteText(WeightSource source, bool all, Terminal terminal)
    {
        TextWriter output = terminal.Out;
        output.WriteLine(Printable.OneLine(source.Path));
        var facts = new TextTable("", "");
        foreach ((string name, string value) in Facts(source))
            facts.Add(name, Printable.Escape(value));
        facts.WritePlain(output, firstRight: 2);

        output.WriteLine();
        output.WriteLine($"Metadata ({Figures.Count(source.Metadata.Count)})");
        var metadata = new TextTable("", "", "");
        foreach ((string key, MetadataValue value) in source.Metadata)
            metadata.Add(Printable.Escape(key), TypeName(value), Value(value, all));
        metadata.WritePlain(output, firstRight: 3);
        if (source.Tensors.Count == 0)
            return;

        output.WriteLine();
        output.WriteLine($"Tensors ({Figures.Count(source.Tensors.Count)})");
        var tensors = new TextTable("", "", "", "");
        foreach (TensorInfo tensor in source.Tensors)
            tensors.Add(Printable.Escape(tensor.Name), FormatName(tensor), Shape(tensor), Figures.Bytes(tensor.ByteLength));
        tensors.WritePlain(output, firstRight: 3);
    }

    /// <summary>Name and value of what people want to know first.</summary>
    private static IEnumerable<(string Name, string Value)> Facts(WeightSource source)
    {
        yield return ("file", $"{ModelSummary.Kind(source)}, {Figures.Bytes(ModelSummary.FileBytes(source))}");
        yield return ("architecture", source.Metadata.GetString("general.architecture", "not given"));
        if (source.Metadata.GetString("general.name") is { } name)
            yield return ("name", Printable.Abbreviate(name, TextShown));
        if (source.Tensors.Count == 0)
        {
            yield return ("tensors", "none: a vocabulary alone");
            yield break;
        }

        long parameters = ModelSummary.Parameters(source);
        yield return ("parameters", $"{Figures.Parameters(parameters)} ({Figures.Count(parameters)})");
        foreach ((string format, int count, long bytes) in ModelSummary.Formats(source))
            yield return ("tensors", $"{Figures.Count(count)} × {format}, {Figures.Bytes(bytes)}");
        foreach ((string, string) setting in Settings(source))
            yield return setting;
    }

    private static IEnumerable<(string Name, string Value)> Settings(WeightSource source)
    {
        (ModelSettings? settings, string problem) = ModelSummary.Settings(source);
        if (settings is null)
        {
            yield return ("settings", problem);
            yield break;
        }

        foreach ((string name, double value) in ModelSummary.List(settings))
            yield return (name.Replace('_', ' '), value.ToString("R", CultureInfo.InvariantCulture));
    }

    private static string FormatName(TensorInfo tensor) =>
        tensor.IsSupported ? GgmlTypes.Name(tensor.FormatId) : $"{GgmlTypes.Name(tensor.FormatId)} (not supported)";

    private static string Shape(TensorInfo tensor) =>
        $"[{string.Join(", ", tensor.Dimensions.Reverse().Select(d => d.ToString(CultureInfo.InvariantCulture)))}]";

    private static string TypeName(MetadataValue value) => value.Value is Array array
        ? $"{value.ElementType}[{array.Length.ToString(CultureInfo.InvariantCulture)}]"
        : value.Type.ToString();

    private static string Value(MetadataValue value, bool all)
    {
        int length = all ? int.MaxValue : TextShown;
        if (value.Value is not Array array)
            return Scalar(value.Value, length, quoted: false);
        var text = new StringBuilder();
        int shown = all ? array.Length : Math.Min(array.Length, ElementsShown);
        for (int i = 0; i < shown; i++)
        {
            text.Append(i == 0 ? "" : ", ");
            object? element = array.GetValue(i);
            text.Append(element is MetadataValue inner ? $"[{Value(inner, all)}]" : Scalar(element, Math.Min(length, 40), quoted: true));
        }

        return shown < array.Length ? text.Append(", …").ToString() : text.ToString();
    }

    private static string Scalar(object? value, int length, bool quoted) => value switch
    {
        string text => quoted ? $"'{Printable.Abbreviate(text, length)}'" : Printable.Abbreviate(text, length),
        bool flag => flag ? "true" : "false",
        _ => Convert.ToString(value, CultureInfo.InvariantCulture) ?? "",
    };
}
