using System.Diagnostics;
using System.Globalization;
using System.IO.Compression;
using System.Text;
using Polymath.Files;
using Polymath.Text;

namespace Polymath.Benchmarks;

/// <summary>Speed of encoding prose on one core: `tokenize TEXT.gz VOCABULARY.gguf [PRE ...]`.</summary>
internal static class TokenizeSpeed
{
    private const int MostBytes = 16 << 20;

    public static void Run(string[] args)
    {
        using var reader = new StreamReader(new GZipStream(File.OpenRead(args[0]), CompressionMode.Decompress));
        var buffer = new char[MostBytes];
        string text = new(buffer, 0, reader.ReadBlock(buffer));
        int bytes = Encoding.UTF8.GetByteCount(text);
        using GgufFile file = GgufFile.Open(args[1]);
        string[] rules = args.Length > 2 ? args[2..] : ["gpt-2", "llama-bpe", "qwen2", "gpt-4o", "deepseek-v3"];
        foreach (string rule in rules)
        {
            var metadata = new Metadata();
            foreach ((string key, MetadataValue value) in file.Metadata)
                metadata.Set(key, value);
            metadata.Set("tokenizer.ggml.pre", rule);
            Tokenizer tokenizer = Tokenizer.FromMetadata(metadata, rule);
            int count = tokenizer.Encode(text).Length;
            double best = double.MaxValue;
            for (int round = 0; round < 5; round++)
            {
                long start = Stopwatch.GetTimestamp();
                tokenizer.Encode(text);
                best = Math.Min(best, Stopwatch.GetElapsedTime(start).TotalSeconds);
            }

            Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{rule,-14} {bytes / best / 1e6,6:F1} MB/s, {count} tokens of {bytes} bytes"));
        }
    }
}
