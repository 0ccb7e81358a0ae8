using System.CommandLine;
using Polymath.Files;
using Polymath.Tensors;

namespace Polymath.Cli.Commands;

/// <summary>Writes a Hugging Face folder as one GGUF file.</summary>
internal sealed class ConvertCommand : CliCommand
{
    /// <summary>The types that can be asked for, with their numbers under general.file_type.</summary>
    private static readonly (TensorFormat Format, uint FileType)[] Types =
        [(TensorFormat.F32, 0), (TensorFormat.F16, 1), (TensorFormat.BF16, 32), (TensorFormat.Q8_0, 7)];

    private readonly Argument<string> _input = Declare.Required("DIR", "Hugging Face folder: config.json, tokenizer.json, *.safetensors.");
    private readonly Argument<string> _output = Declare.Required("OUT", "GGUF file to write; replaced whole or not at all.");
    private readonly Option<string?> _type = Declare.Text(
        ["--type"], "TYPE", $"{string.Join(", ", Types.Select(type => type.Format))} for all matrices (default: as they are stored)");

    public ConvertCommand()
        : base("convert", "Write a Hugging Face folder as one GGUF file.")
    {
        Add(_input);
        Add(_output);
        AddGroup("Options", _type);
        Notes =
        [
            "Norms, biases and small tables are written in F32, experts in MXFP4 stay so. The vocabulary and the chat template come along. "
            + "For other types convert first, then use polymath quantize.",
        ];
        AddExample("polymath convert Qwen3-0.6B qwen3.gguf", "The model as it is, in one file that llama.cpp reads too.");
        AddExample("polymath convert Qwen3-0.6B qwen3.gguf --type Q8_0", "Half the size of BF16.");
    }

    public override int Execute(ParseResult parse, Terminal terminal)
    {
        string input = parse.GetValue(_input)!, output = parse.GetValue(_output)!;
        TensorFormat? type = ParseType(parse.GetValue(_type));
        if (!Directory.Exists(input))
            throw File.Exists(input) ? new UsageException($"{input} is a file; name the folder it is in") : new DirectoryNotFoundException($"{input}: no such folder");
        OutputFile.Check(output);
        using HuggingFaceFolder source = HuggingFaceFolder.Open(input);
        var entries = new List<GgufWriter.Entry>();
        var progress = new StatusLine(terminal);
        foreach (TensorInfo tensor in source.Tensors)
            entries.Add(Plan(source, tensor, type, terminal, progress, entries.Count + 1));
        Metadata metadata = NewMetadata(source, entries, type);
        FolderVocabulary.Write(source, metadata, terminal);
        GgufWriter.Write(output, metadata, entries);
        progress.Clear();
        terminal.Out.WriteLine(
            $"{Figures.Bytes(entries.Sum(e => FormatInfo.RowBytes(e.Format, e.Columns) * e.Rows))} in {Figures.Count(entries.Count)} tensors ({source.Architecture})");
        return ExitCode.Success;
    }

    private static TensorFormat? ParseType(string? text)
    {
        if (text is null)
            return null;
        foreach ((TensorFormat format, _) in Types)
        {
            if (text.Equals(format.ToString(), StringComparison.OrdinalIgnoreCase))
                return format;
        }

        throw new UsageException($"--type is one of {string.Join(", ", Types.Select(type => type.Format))}, not \"{text}\"");
    }

    /// <summary>The format of a tensor in the file: what the folder has in F32 is so for a reason, and blocks stay blocks.</summary>
    private static TensorFormat FormatOf(TensorInfo tensor, TensorFormat? type)
    {
        bool matrix = tensor.Dimensions.Count > 1 && tensor.Name.EndsWith(".weight", StringComparison.Ordinal) && !IsExact(tensor.Name);
        if (type is not { } wanted || !matrix || QuantizationPlan.IsQuantized(tensor.Format))
            return tensor.Format;
        return tensor.Dimensions[0] % FormatInfo.BlockLength(wanted) == 0 ? wanted : TensorFormat.F16;
    }

    /// <summary>Matrices that files have in F32 whatever the others are.</summary>
    private static bool IsExact(string name) =>
        name is "position_embd.weight" or "token_types.weight"
        || name.EndsWith("_norm.weight", StringComparison.Ordinal) || name.Contains(".ffn_gate_inp", StringComparison.Ordinal)
        || name.EndsWith(".ssm_conv1d.weight", StringComparison.Ordinal);

    private static GgufWriter.Entry Plan(
        HuggingFaceFolder source, TensorInfo tensor, TensorFormat? type, Terminal terminal, StatusLine progress, int number)
    {
        if (!tensor.IsSupported)
            throw new ModelFormatException($"{source.Path}: tensor {tensor.Name} is {tensor.FormatName}, which is not supported yet");
        GgufWriter.Entry entry = QuantizationPlan.Entry(source, tensor, FormatOf(tensor, type), [], threads: 0, terminal.Cancellation);
        return entry with
        {
            Elements = () =>
            {
                terminal.Cancellation.ThrowIfCancellationRequested();
                if (terminal.ErrorIsTerminal)
                    progress.Draw($"{number}/{source.Tensors.Count} {tensor.Name}");
                return entry.Elements();
            },
        };
    }

    private static Metadata NewMetadata(HuggingFaceFolder source, List<GgufWriter.Entry> entries, TensorFormat? type)
    {
        var metadata = new Metadata();
        metadata.Set("general.architecture", source.Architecture);
        metadata.Set("general.type", "model");
        foreach ((string key, MetadataValue value) in source.Metadata)
            metadata.Set(key, value);
        metadata.Set("general.file_type", FileType(entries, type));
        if (entries.Exists(e => QuantizationPlan.IsQuantized(e.Format)))
            metadata.Set("general.quantization_version", QuantizationPlan.FormatVersion);
        return metadata;
    }

    private static uint FileType(List<GgufWriter.Entry> entries, TensorFormat? type)
    {
        const uint Mxfp4Experts = 38;
        if (entries.Exists(e => e.Format == TensorFormat.MXFP4))
            return Mxfp4Experts;
        TensorFormat most = type ?? entries.GroupBy(e => e.Format).MaxBy(group => group.Sum(e => (long)e.Rows * e.Columns))!.Key;
        return Array.Find(Types, known => known.Format == most).FileType;
    }
}
