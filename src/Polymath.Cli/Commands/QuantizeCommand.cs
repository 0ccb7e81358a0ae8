using System.CommandLine;
using Polymath.Files;
using Polymath.Tensors;

namespace Polymath.Cli.Commands;

/// <summary>Writes a model in another tensor format.</summary>
internal sealed class QuantizeCommand : CliCommand
{
    private readonly Argument<string> _input = Declare.Required("IN", $"{ModelArgument.Forms}.");
    private readonly Argument<string> _output = Declare.Required("OUT", "GGUF file to write; replaced whole or not at all.");
    private readonly Argument<string> _type = Declare.Required("TYPE", $"{s_names}.");
    private readonly Option<string?> _importance = Declare.Text(
        ["--imatrix"], "FILE", "Importance of each column, as polymath imatrix or llama-imatrix writes it.");
    private readonly Option<bool> _pure = Declare.Switch("--pure", "All matrices in one format.");
    private readonly Option<bool> _again = Declare.Switch(
        "--allow-requantize", "Take tensors that are quantised already; each time costs precision.");
    private readonly Option<int> _threads = Declare.Integer(["--threads", "-t"], "N", "Threads to compute with; 0 for one per processor", 0, most: 1024);

    private static readonly string s_names = string.Join(", ", QuantizationMix.All.Select(mix => mix.Name));

    public QuantizeCommand()
        : base("quantize", "Write a model with smaller (or larger) weights.")
    {
        Add(_input);
        Add(_output);
        Add(_type);
        AddGroup("Options", _importance, _pure, _again, _threads);
        Notes =
        [
            "Weight matrices take the format TYPE begins with, those that suffer most from rounding a finer one, by the rules of "
            + "llama-quantize. Norms and biases are kept as they are. Rows that do not fill blocks of 256 take a format with blocks of 32, "
            + "and those that do not fill these F16.",
        ];
        AddExample("polymath quantize model.gguf small.gguf Q4_K_M", "About a seventh of the size of F32, with little loss.");
        AddExample("polymath quantize model.gguf small.gguf Q3_K_M --imatrix model.imatrix", "Smaller, with the loss where it matters least.");
    }

    public override int Execute(ParseResult parse, Terminal terminal)
    {
        string input = ModelArgument.Resolve(parse.GetValue(_input), terminal), output = parse.GetValue(_output)!;
        QuantizationMix mix = ParseType(parse.GetValue(_type)!);
        string? importanceFile = parse.GetValue(_importance);
        using WeightSource source = WeightSource.Open(input);
        if (OutputFile.IsSame(input, output))
            throw new UsageException("IN and OUT are the same");
        OutputFile.Check(output);
        ImportanceMatrix? importance = importanceFile is null ? null : ImportanceMatrix.Open(importanceFile);
        if (mix.NeedsImportance && importance is null)
            throw new UsageException($"{mix.Name} needs an importance matrix; see --imatrix");
        var plan = new QuantizationPlan(source, mix, parse.GetValue(_pure), importance is not null);
        Check(source, plan, parse.GetValue(_again));

        var entries = new List<GgufWriter.Entry>();
        long after = 0;
        foreach (TensorInfo tensor in source.Tensors)
        {
            float[] weights = Importance(importance, importanceFile, tensor);
            GgufWriter.Entry entry = QuantizationPlan.Entry(
                source, tensor, plan.FormatOf(tensor), weights, parse.GetValue(_threads), terminal.Cancellation);
            after += FormatInfo.RowBytes(entry.Format, entry.Columns) * entry.Rows;
            entries.Add(entry);
        }

        Metadata metadata = NewMetadata(source, plan, entries);
        if (importance is not null)
            Describe(importance, importanceFile!, metadata);
        FolderVocabulary.Write(source, metadata, terminal);
        GgufWriter.Write(output, metadata, entries);
        WriteSummary(source, plan, after, terminal);
        return ExitCode.Success;
    }

    private static QuantizationMix ParseType(string text) =>
        QuantizationMix.Find(text) ?? throw new UsageException($"TYPE is one of {s_names}, not \"{text}\"");

    /// <summary>The importance of a tensor's columns; empty where nothing is known of it.</summary>
    private static float[] Importance(ImportanceMatrix? importance, string? file, TensorInfo tensor)
    {
        if (importance is null || !importance.Entries.TryGetValue(tensor.Name, out ImportanceMatrix.Entry? entry))
            return [];
        long wanted = tensor.Dimensions[0] * (tensor.Dimensions.Count > 2 ? tensor.Dimensions[2] : 1);
        if (entry.Sums.Length == wanted)
            return entry.Means();
        return tensor.Name == "token_embd.weight" ? []
            : throw new ModelFormatException($"{file}: {entry.Sums.Length} values for {tensor.Name}, which has {wanted} columns");
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

    private static Metadata NewMetadata(WeightSource source, QuantizationPlan plan, List<GgufWriter.Entry> entries)
    {
        var metadata = new Metadata();
        foreach ((string key, MetadataValue value) in source.Metadata)
            metadata.Set(key, value);
        foreach (string key in new[] { "split.no", "split.count", "split.tensors.count" })
            _ = metadata.Remove(key);
        metadata.Set("general.file_type", plan.Mix.FileType);
        if (entries.Exists(e => QuantizationPlan.IsQuantized(e.Format)))
            metadata.Set("general.quantization_version", QuantizationPlan.FormatVersion);
        else
            metadata.Remove("general.quantization_version");
        return metadata;
    }

    private static void Describe(ImportanceMatrix importance, string file, Metadata metadata)
    {
        metadata.Set("quantize.imatrix.file", Path.GetFileName(file));
        if (importance.Datasets is [var first, ..])
            metadata.Set("quantize.imatrix.dataset", first);
        metadata.Set("quantize.imatrix.entries_count", (uint)importance.Entries.Count);
        metadata.Set("quantize.imatrix.chunks_count", (uint)importance.Chunks);
    }

    private static void WriteSummary(WeightSource source, QuantizationPlan plan, long after, Terminal terminal)
    {
        if (plan.Fallbacks > 0)
            terminal.Error.WriteLine($"polymath: {plan.Fallbacks} tensors have rows that do not fill their format's blocks and took another format");
        long before = ModelSummary.TensorBytes(source);
        terminal.Out.WriteLine($"{Figures.Bytes(before)} -> {Figures.Bytes(after)} ({Figures.Count(source.Tensors.Count)} tensors)");
    }
}
