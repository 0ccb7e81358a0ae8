using System.Globalization;
using Polymath.Files;
using Polymath.Models;

namespace Polymath.Cli;

/// <summary>A model file in a few words and figures.</summary>
internal static class ModelSummary
{
    /// <summary>Architecture and the format that most elements are stored in, for example "llama Q4_0".</summary>
    public static string Name(WeightSource source)
    {
        string architecture = source.Metadata.GetString("general.architecture", "?");
        return Formats(source) is [var (format, _, _), ..] ? $"{architecture} {format}" : architecture;
    }

    /// <summary>What kind of file it is.</summary>
    public static string Kind(WeightSource source) => source switch
    {
        GgufFile file => string.Create(CultureInfo.InvariantCulture, $"GGUF version {file.Version}"),
        SplitGguf split => string.Create(CultureInfo.InvariantCulture, $"GGUF version {split.Parts[0].Version}, {split.Parts.Count} parts"),
        _ => "Hugging Face folder",
    };

    /// <summary>Bytes of the file or of all its parts, or of the weight files of a folder.</summary>
    public static long FileBytes(WeightSource source) => source switch
    {
        GgufFile file => file.FileLength,
        SplitGguf split => split.Parts.Sum(part => part.FileLength),
        _ => new DirectoryInfo(source.Path).EnumerateFiles("*.safetensors").Sum(f => f.Length),
    };

    /// <summary>Elements of all tensors.</summary>
    public static long Parameters(WeightSource source) => source.Tensors.Sum(t => t.ElementCount);

    /// <summary>Bytes of all tensors.</summary>
    public static long TensorBytes(WeightSource source) => source.Tensors.Sum(t => t.ByteLength);

    /// <summary>Formats in use, the one with the most elements first.</summary>
    public static List<(string Name, int Tensors, long Bytes)> Formats(WeightSource source) =>
        [.. source.Tensors.GroupBy(t => t.FormatId)
            .OrderByDescending(g => g.Sum(t => t.ElementCount))
            .Select(g => (GgmlTypes.Name(g.Key), g.Count(), g.Sum(t => t.ByteLength)))];

    /// <summary>The settings, or why they cannot be read.</summary>
    public static (ModelSettings? Settings, string Problem) Settings(WeightSource source)
    {
        try
        {
            return (ModelSettings.Read(source), "");
        }
        catch (ModelFormatException e)
        {
            string message = e.Message;
            return (null, message.StartsWith($"{source.Path}: ", StringComparison.Ordinal) ? message[(source.Path.Length + 2)..] : message);
        }
    }

    /// <summary>Name and value of each setting.</summary>
    public static IEnumerable<(string Name, double Value)> List(ModelSettings settings) =>
    [
        ("layers", settings.Layers),
        ("width", settings.Width),
        ("heads", settings.Heads),
        ("key_value_heads", settings.KeyValueHeads),
        ("head_size", settings.HeadSize),
        ("feed_forward", settings.FeedForward),
        ("vocabulary", settings.Vocabulary),
        ("context_length", settings.ContextLength),
        ("norm_epsilon", AsWritten(settings.NormEpsilon)),
        ("rope_base", AsWritten(settings.RopeBase)),
        ("rope_size", settings.RopeSize),
        ("rope_scale", AsWritten(settings.RopeScale)),
    ];

    /// <summary>The double nearest to the shortest text of a single: 1E-05 rather than 9.99999974E-06.</summary>
    private static double AsWritten(float value) =>
        double.Parse(value.ToString("R", CultureInfo.InvariantCulture), CultureInfo.InvariantCulture);
}
