using Polymath.Files;
using Polymath.Tensors;
using Xunit;

namespace Polymath.Tests.Cli;

/// <summary>The types that the named mixes choose; expected are those of llama-quantize (tools/reference/quantize-mixes.py).</summary>
public sealed class QuantizeMixTests : IDisposable
{
    private const int Layers = 8;

    private readonly string _folder = Directory.CreateTempSubdirectory("polymath-mix-").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Theory]
    [InlineData("Q4_K_M", TensorFormat.Q4_K, TensorFormat.Q6_K)]
    [InlineData("Q5_K_M", TensorFormat.Q5_K, TensorFormat.Q6_K)]
    public void The_medium_mixes_give_more_bits_to_the_layers_that_need_them(string mix, TensorFormat usual, TensorFormat more)
    {
        Dictionary<string, TensorFormat> formats = Quantize(256, mix);
        for (int i = 0; i < Layers; i++)
        {
            TensorFormat expected = i is 0 or 3 or 6 or 7 ? more : usual;   // the first and last eighth and every third between
            Assert.Equal(expected, formats[$"blk.{i}.attn_v.weight"]);
            Assert.Equal(expected, formats[$"blk.{i}.ffn_down.weight"]);
            Assert.Equal(usual, formats[$"blk.{i}.attn_q.weight"]);
        }

        Assert.Equal(TensorFormat.Q6_K, formats["output.weight"]);
        Assert.Equal(usual, formats["token_embd.weight"]);
        Assert.Equal(TensorFormat.F32, formats["output_norm.weight"]);
    }

    [Fact]
    public void Rows_that_do_not_fill_blocks_of_256_take_blocks_of_32()
    {
        Dictionary<string, TensorFormat> formats = Quantize(96, "Q4_K_M");
        Assert.Equal(TensorFormat.Q5_0, formats["blk.1.attn_q.weight"]);
        Assert.Equal(TensorFormat.Q8_0, formats["blk.0.attn_v.weight"]);
        Assert.Equal(TensorFormat.F16, Quantize(48, "Q4_K_M")["blk.1.attn_q.weight"]);
    }

    [Fact]
    public void Pure_is_pure()
    {
        Dictionary<string, TensorFormat> formats = Quantize(256, "Q4_K_M", "--pure");
        Assert.All(formats.Where(f => f.Key != "output_norm.weight"), f => Assert.Equal(TensorFormat.Q4_K, f.Value));
    }

    [Theory]
    [InlineData("NO_SUCH")]
    [InlineData("")]
    public void A_mix_that_is_not_known_is_refused_with_those_that_are(string mix)
    {
        string input = Path.Combine(_folder, "in.gguf");
        Write(input, 256);
        CliRun run = CliRun.Of("quantize", input, Path.Combine(_folder, "out.gguf"), mix);
        Assert.Equal(2, run.Code);
        Assert.Contains("Q4_K_M", run.Error, StringComparison.Ordinal);
    }

    [Fact]
    public void A_file_that_is_no_importance_matrix_is_refused()
    {
        string input = Path.Combine(_folder, "in.gguf"), output = Path.Combine(_folder, "out.gguf"), matrix = Path.Combine(_folder, "m.dat");
        Write(input, 256);
        foreach (byte[] bytes in new byte[][] { [], [1], [255, 255, 255, 127], [1, 0, 0, 0, 255, 255, 255, 127, 65, 0, 0, 0, 0, 0, 0, 0, 0, 0] })
        {
            File.WriteAllBytes(matrix, bytes);
            CliRun run = CliRun.Of("quantize", input, output, "Q4_K_M", "--imatrix", matrix);
            Assert.Equal(1, run.Code);
            Assert.False(File.Exists(output));
        }
    }

    private Dictionary<string, TensorFormat> Quantize(int width, string mix, params string[] options)
    {
        string input = Path.Combine(_folder, "in.gguf"), output = Path.Combine(_folder, "out.gguf");
        Write(input, width);
        CliRun.Succeed(["quantize", input, output, mix, .. options]);
        using GgufFile file = GgufFile.Open(output);
        return file.Tensors.ToDictionary(t => t.Name, t => t.Format);
    }

    private static void Write(string path, int width)
    {
        var metadata = new Metadata();
        metadata.Set("general.architecture", "llama");
        metadata.Set("llama.block_count", (uint)Layers);
        metadata.Set("llama.attention.head_count", 4u);
        metadata.Set("llama.attention.head_count_kv", 4u);
        var tensors = new List<GgufWriter.Entry>();
        Add("token_embd.weight", 8);
        Add("output_norm.weight", 0);
        Add("output.weight", 8);
        for (int i = 0; i < Layers; i++)
        {
            Add($"blk.{i}.attn_q.weight", 4);
            Add($"blk.{i}.attn_v.weight", 4);
            Add($"blk.{i}.ffn_down.weight", 4);
        }

        GgufWriter.Write(path, metadata, tensors);

        void Add(string name, int rows)
        {
            Tensor value = Tensor.Zeros(Math.Max(1, rows), width);
            int at = 0;
            foreach (ref float element in value.AsFloats())
                element = MathF.Sin(++at);
            tensors.Add(new GgufWriter.Entry(name, rows == 0 ? [width] : [width, rows], value));
        }
    }
}
