using System.Text;
using Polymath.Files;
using Polymath.Files.HuggingFace;
using Polymath.Tensors;
using Xunit;

namespace Polymath.Tests.Files;

/// <summary>Mutated safetensors headers, whole safetensors files, settings and shard indexes.</summary>
public sealed class JsonMutationTests
{
    private const int Seed = 1123;
    private const int Data = 64;

    private const string Header =
        """{"__metadata__":{"format":"pt","a":"b"},"a":{"dtype":"F32","shape":[2,4],"data_offsets":[0,32]},"b":{"dtype":"BF16","shape":[8],"data_offsets":[32,48]},"c":{"dtype":"I64","shape":[2,1],"data_offsets":[48,64]}}""";

    private const string Index =
        """{"metadata":{"total_size":64,"x":[1,{"y":null}]},"weight_map":{"a":"m-1.safetensors","b":"m-1.safetensors","c":"m-2.safetensors"}}""";

    private static readonly byte[][] Fragments = [.. ((string[])[
        "0", "-1", "1", "2", "3", "8", "64", "2147483647", "2147483648", "4294967296", "1099511627777", "9223372036854775807", "9223372036854775808",
        "18446744073709551615", "1e400", "1e-400", "-0", "0.5", "1e3", "NaN", "null", "true", "false", "[]", "{}", "[0,0]", "[0,8]", "[64,64]",
        "\"\"", "\"a\"", "\"F32\"", "\"F4\"", "\"\\ud800\"", "\"\\u0000\"", "\"../x.safetensors\"", "\"llama3\"", "{\"type\":\"linear\",\"factor\":-1}",
        "{\"rope_type\":\"llama3\",\"factor\":8,\"low_freq_factor\":1,\"high_freq_factor\":4,\"original_max_position_embeddings\":8192}",
        "[[[[[[[[[[1]]]]]]]]]]", ",\"a\":1", ",\"dtype\":\"F32\"", "/*", "//", ":", "}", "]", "\"",
    ]).Select(Encoding.UTF8.GetBytes)];

    [Fact]
    public void Ten_thousand_mutated_safetensors_headers_are_refused_clearly_or_load() =>
        Headers(LoadHeader).Check(10_000);

    [Fact]
    public void Mutated_safetensors_files_are_refused_clearly_or_load() => Files(LoadFile).Check(3_000);

    [Fact]
    public void Mutated_settings_are_refused_clearly_or_load() => Settings(LoadSettings).Check(4_000);

    [Fact]
    public void Mutated_shard_indexes_are_refused_clearly_or_load() =>
        new HostileRun("index", Seed, [new Specimen("index", Encoding.UTF8.GetBytes(Index))], LoadIndex) { Fragments = Fragments }.Check(4_000);

    [Theory]
    [InlineData("twice")]
    [InlineData("no valid JSON")]
    [InlineData("out of range")]
    [InlineData("no known dtype")]
    [InlineData("do not agree")]
    [InlineData("behind a hole")]
    [InlineData("inside the one")]
    [InlineData("is missing")]
    [InlineData("no range")]
    [InlineData("where StartObject must be")]
    public void A_header_reader_without_one_of_the_checks_is_found_out(string check) =>
        Assert.Contains("planted", Headers(Without(LoadHeader, check)).FirstBad(10_000) ?? "nothing found");

    [Theory]
    [InlineData("the tensors end at")]
    [InlineData("bytes are left")]
    [InlineData("more than the limit")]
    [InlineData("does not start with a brace")]
    public void A_file_reader_without_one_of_the_checks_is_found_out(string check) =>
        Assert.Contains("planted", Files(Without(LoadFile, check)).FirstBad(3_000) ?? "nothing found");

    [Theory]
    [InlineData("is not in")]
    [InlineData("no 32-bit integer")]
    [InlineData("not finite and positive")]
    [InlineData("no bool")]
    [InlineData("does not divide")]
    [InlineData("no multiple of")]
    [InlineData("no valid JSON")]
    [InlineData("no id of a vocabulary")]
    [InlineData("as config.json says")]
    [InlineData("is not supported")]
    public void A_settings_reader_without_one_of_the_checks_is_found_out(string check) =>
        Assert.Contains("planted", Settings(Without(LoadSettings, check)).FirstBad(4_000) ?? "nothing found");

    private static HostileRun Headers(Action<byte[]> load) =>
        new("safetensors header", Seed, [new Specimen("header", Encoding.UTF8.GetBytes(Header))], load) { Fragments = Fragments };

    private static HostileRun Files(Action<byte[]> load)
    {
        byte[] file = SafetensorsBytes.File(Header, Data);
        return new HostileRun("safetensors file", Seed, [new Specimen("file", file, [0], 16), new Specimen("file", file)], load);
    }

    private static HostileRun Settings(Action<byte[]> load) =>
        new("config.json", Seed, [new Specimen("config.json", Encoding.UTF8.GetBytes(TinyLlama.Config))], load) { Fragments = Fragments };

    private static Action<byte[]> Without(Action<byte[]> load, string check) => input =>
    {
        try
        {
            load(input);
        }
        catch (ModelFormatException e) when (e.Message.Contains(check, StringComparison.Ordinal))
        {
            throw new InvalidOperationException("planted");
        }
    };

    private static void LoadHeader(byte[] header) =>
        LoadFile([.. BitConverter.GetBytes((ulong)header.Length), .. header, .. new byte[Data]]);

    private static void LoadFile(byte[] bytes)
    {
        using SafetensorsFile file = SafetensorsFile.Open(FileImage.FromBytes("test.safetensors", bytes));
        foreach (SafetensorsFile.Entry entry in file.Entries.Values)
        {
            if (entry.Format is not { } format)
                continue;
            int elements = checked((int)(entry.ByteLength / FormatInfo.BlockBytes(format)));
            int columns = entry.Shape.Length == 0 ? 1 : checked((int)Math.Min(entry.Shape[^1], int.MaxValue));
            Tensor tensor = file.Read(entry, columns == 0 ? 0 : elements / columns, columns);
            if (!file.Image.Holds(tensor))
                throw new InvalidOperationException($"{entry.Name} leaves the file");
            if (tensor.ElementCount > 0)
                _ = tensor.RowData(0)[0] + tensor.RowData(tensor.Rows - 1)[^1];
        }
    }

    private static void LoadSettings(byte[] config)
    {
        using HuggingFaceFolder model = TinyLlama.Open(config, TinyLlama.Weights());
        foreach (TensorInfo info in model.Tensors)
            _ = model.Read(info.Name, checked((int)(info.ElementCount / info.Dimensions[0])), checked((int)info.Dimensions[0])).RowData(0)[0];
        foreach ((string key, MetadataValue value) in model.Metadata)
            ArgumentNullException.ThrowIfNull(value.Value, key);
    }

    private static void LoadIndex(byte[] json)
    {
        foreach (string file in ShardIndex.Parse("index.json", json).Values)
        {
            if (Path.GetFileName(file) != file)
                throw new InvalidOperationException($"{file} is in another folder");
        }
    }
}
