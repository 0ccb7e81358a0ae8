using System.CommandLine;
using Polymath.Files;
using Polymath.Tensors;

namespace Polymath.Cli.Commands;

/// <summary>Writes a model in another tensor format.</summary>
internal sealed class QuantizeCommand : CliCommand
{
    private const uint QuantizationVersion = 2;   // of the block formats, as GGUF counts it

    private readonly Argument<string> _input = Declare.Required("IN", "GGUF file or Hugging Face folder.");
    private readonly Argument<string> _output = Declare.Required("OUT", "GGUF file to write; replaced whole or not at all.");
    private readonly Argument<string> _type = Declare.Required("TYPE", $"{string.Join(", ", QuantizationPlan.Targets)}.");
    private readonly Option<bool> _again = Declare.Switch(
        "--allow-requantize", "Take tensors that are quantised already; each time costs precision.");

    public QuantizeCommand()
        : base("quantize", "Write a model with smaller (or larger) weights.")
    {
        Add(_input);
        Add(_output);
        Add(_type);
        AddGroup("Options", _again);
        Notes =
        [
            "Weight matrices take TYPE. Norms and biases are kept in F32. With Q4_0 the token embedding and the output head are "
            + "written in Q8_0. Rows that do not fill blocks of 32 are written in F16.",
        ];
        AddExample("polymath quantize model.gguf small.gguf Q8_0", "About a quarter of the size of F32.");
    }

    public override int Execute(ParseResult parse, Terminal terminal)
    {
        string input = parse.GetValue(_input)!, output = parse.GetValue(_output)!;
        TensorFormat target = ParseType(parse.GetValue(_type)!);
        using WeightSource source = WeightSource.Open(input);
        if (IsSame(input, output))
            throw new UsageException("IN and OUT are the same");
        if (Directory.Exists(output))
            throw new UsageException($"{output} is a folder; name a file");
        if (Path.GetDirectoryName(Path.GetFullPath(output)) is { } folder && !Directory.Exists(folder))
            throw new DirectoryNotFoundException($"{output}: there is no folder {folder}");
        var plan = new QuantizationPlan(target);
        Check(source, plan, parse.GetValue(_again));

        var entries = new List<GgufWriter.Entry>();
        long after = 0;
        foreach (TensorInfo tensor in source.Tensors)
        {
            GgufWriter.Entry entry = Plan(source, tensor, plan.FormatOf(tensor), terminal.Cancellation);
            after += FormatInfo.RowBytes(entry.Format, entry.Columns) * entry.Rows;
            entries.Add(entry);
        }

        GgufWriter.Write(output, NewMetadata(source, plan, entries), entries);
        WriteSummary(source, plan, after, terminal);
        return ExitCode.Success;
    }

    private static TensorFormat ParseType(string text)
    {
        foreach (TensorFormat format in QuantizationPlan.Targets)
        {
            if (text.Equals(format.ToString(), StringComparison.OrdinalIgnoreCase))
                return format;
        }

        throw new UsageException($"TYPE is one of {string.Join(", ", QuantizationPlan.Targets)}, not \"{text}\"");
    }

    /// <summary>True when both name one file, through symbolic links too.</summary>
    private static bool IsSame(string input, string output)
    {
        return string.Equals(Real(input), Real(output), OperatingSystem.IsWindows() ? StringComparison.OrdinalIgnoreCase : StringComparison.Ordinal);

        static string Real(string path)
        {
            string full = Path.GetFullPath(path);
            return File.Exists(full) ? File.ResolveLinkTarget(full, returnFinalTarget: true)?.FullName ?? full : full;
        }
    }

    private static void Check(WeightSource source, QuantizationPlan plan, bool allowQuantized)
    {
        if (source.Tensors.Count == 0)
            throw new ModelFormatException($"{source.Path}: no tensors to convert, a vocabulary alone");
        foreach (TensorInfo tensor in source.Tensors)
        {
            if (!tensor.IsSupported)
                throw new ModelFormatException($"{source.Path}: tensor {tensor.Name} is stored as {tensor.FormatName}, which is not supported yet");
            if (QuantizationPlan.IsQuantized(tensor.Format) && plan.FormatOf(tensor) != tensor.Format && !allowQuantized)
            {
                throw new ModelFormatException(
                    $"{source.Path}: tensor {tensor.Name} is {tensor.Format} already; better start from the original, or use --allow-requantize");
            }
        }
    }

    private static GgufWriter.Entry Plan(WeightSource source, TensorInfo tensor, TensorFormat format, CancellationToken cancellation)
    {
        long rows = tensor.ElementCount / Math.Max(1, tensor.Dimensions[0]);
        if (rows > int.MaxValue || tensor.Dimensions[0] > int.MaxValue)
            throw new ModelFormatException($"{source.Path}: tensor {tensor.Name} is too large");
        int columns = (int)tensor.Dimensions[0];
        return new GgufWriter.Entry(tensor.Name, tensor.Dimensions, format, (int)rows, columns, () =>
        {
            try
            {
                return QuantizationPlan.Convert(source.Read(tensor.Name, (int)rows, columns), format, cancellation);
            }
            catch (AggregateException e) when (e.InnerException is ArgumentException cause)
            {
                throw new ModelFormatException($"{source.Path}: tensor {tensor.Name}: {cause.Message}", e);
            }
        });
    }

    private static Metadata NewMetadata(WeightSource source, QuantizationPlan plan, List<GgufWriter.Entry> entries)
    {
        var metadata = new Metadata();
        foreach ((string key, MetadataValue value) in source.Metadata)
            metadata.Set(key, value);
        metadata.Set("general.file_type", plan.FileType);
        if (entries.Exists(e => QuantizationPlan.IsQuantized(e.Format)))
            metadata.Set("general.quantization_version", QuantizationVersion);
        else
            metadata.Remove("general.quantization_version");
        return metadata;
    }

    private static void WriteSummary(WeightSource source, QuantizationPlan plan, long after, Terminal terminal)
    {
        int fallbacks = source.Tensors.Count(plan.FallsBack);
        if (fallbacks > 0)
            terminal.Error.WriteLine($"polymath: {fallbacks} tensors have rows that fill no blocks and are written in F16");
        if (source.TokenizerJsonPath is not null)
            terminal.Error.WriteLine("polymath: the vocabulary in tokenizer.json is not carried over yet; the new file has none");
        long before = ModelSummary.TensorBytes(source);
        terminal.Out.WriteLine($"{Figures.Bytes(before)} -> {Figures.Bytes(after)} ({Figures.Count(source.Tensors.Count)} tensors)");
    }
}
