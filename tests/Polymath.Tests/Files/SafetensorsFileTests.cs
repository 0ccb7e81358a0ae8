using Polymath.Files;
using Polymath.Tensors;
using Xunit;

namespace Polymath.Tests.Files;

public sealed class SafetensorsFileTests
{
    private const string F32 = "{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[0,8]}";

    [Fact]
    public void Tensors_are_views_of_the_file_at_any_alignment()
    {
        using SafetensorsFile file = Open(
            "{\"c\":{\"dtype\":\"U8\",\"shape\":[1],\"data_offsets\":[0,1]},\"a\":{\"dtype\":\"F32\",\"shape\":[2,1,2],\"data_offsets\":[1,17]},"
            + "\"s\":{\"dtype\":\"BF16\",\"shape\":[],\"data_offsets\":[17,19]},\"z\":{\"dtype\":\"F16\",\"shape\":[0,5],\"data_offsets\":[19,19]}} ", 19);
        Tensor a = file.Read(file.Entries["a"], 2, 2);
        Assert.True(file.Image.Holds(a));
        Assert.Equal([10, 11, 12, 13, 14, 15, 16, 17], a.RowData(1).ToArray());
        Assert.Equal([18, 19], file.Read(file.Entries["s"], 1, 1).RowData(0).ToArray());
        Assert.Contains("U8", Assert.Throws<ModelFormatException>(() => file.Read(file.Entries["c"], 1, 1)).Message);
        Assert.Throws<ModelFormatException>(() => file.Read(file.Entries["a"], 1, 4));
        Assert.Throws<ModelFormatException>(() => file.Read(file.Entries["a"], 3, 2));
        Assert.Throws<ModelFormatException>(() => file.Read(file.Entries["a"], -2, -2));
    }

    [Theory]
    [InlineData("{}", 0)]
    [InlineData("{\"a\":" + F32 + "}   ", 8)]
    [InlineData("{\"__metadata__\":{\"a\":\"b\",\"a.\":\"b\"},\"a\":" + F32 + "}", 8)]
    [InlineData("{\"a\":{\"dtype\":\"F4\",\"shape\":[4],\"data_offsets\":[0,2]}}", 2)]
    public void Valid_headers_open(string header, int data) => Open(header, data).Dispose();

    [Theory]
    [InlineData("{\"a\":" + F32 + "}", 9)]                                                        // data behind the last tensor
    [InlineData("{\"a\":" + F32 + "}", 7)]                                                        // beyond the end
    [InlineData("{}", 1)]
    [InlineData("{\"a\":" + F32 + ",\"a\":" + F32 + "}", 8)]                                      // twice
    [InlineData("{\"a\":" + F32 + ",\"\\u0061\":" + F32 + "}", 8)]                                // twice, escaped
    [InlineData("{\"a\":" + F32 + ",\"b\":" + F32 + "}", 8)]                                      // overlap
    [InlineData("{\"a\":" + F32 + ",\"b\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[4,8]}}", 8)]
    [InlineData("{\"a\":" + F32 + ",\"b\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[9,13]}}", 13)] // hole
    [InlineData("{\"a\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[8,0]}}", 8)]
    [InlineData("{\"a\":{\"dtype\":\"F32\",\"shape\":[3],\"data_offsets\":[0,8]}}", 8)]
    [InlineData("{\"a\":{\"dtype\":\"F32\",\"shape\":[-2],\"data_offsets\":[0,8]}}", 8)]
    [InlineData("{\"a\":{\"dtype\":\"F32\",\"shape\":[2.0],\"data_offsets\":[0,8]}}", 8)]
    [InlineData("{\"a\":{\"dtype\":\"F32\",\"shape\":[1099511627777],\"data_offsets\":[0,8]}}", 8)]
    [InlineData("{\"a\":{\"dtype\":\"U8\",\"shape\":[65536,65536,65536,65536,65536,65536,65536,65536],\"data_offsets\":[0,0]}}", 0)]  // 2^128
    [InlineData("{\"a\":{\"dtype\":\"U9\",\"shape\":[8],\"data_offsets\":[0,8]}}", 8)]
    [InlineData("{\"a\":{\"dtype\":\"F32\",\"shape\":[2]}}", 0)]
    [InlineData("{\"a\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[0,8],\"x\":1}}", 8)]
    [InlineData("{\"a\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[0,8],\"shape\":[2]}}", 8)]
    [InlineData("{\"a\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[0,4,8]}}", 8)]
    [InlineData("{\"a\":{\"dtype\":\"F32\",\"shape\":[[2]],\"data_offsets\":[0,8]}}", 8)]
    [InlineData("{\"a\":[]}", 0)]
    [InlineData("{\"__metadata__\":{\"a\":1}}", 0)]
    [InlineData("{\"__metadata__\":{\"a\":\"1\",\"a\":\"1\"}}", 0)]
    [InlineData("{\"__metadata__\":{},\"__metadata__\":{}}", 0)]
    [InlineData("{\"\\ud800\":" + F32 + "}", 8)]
    [InlineData("{\"a\":" + F32 + "}{}", 8)]
    [InlineData("{\"a\":" + F32, 8)]
    [InlineData(" {}", 0)]
    [InlineData("[]", 0)]
    public void Headers_that_break_a_rule_are_refused(string header, int data)
    {
        string message = Assert.Throws<ModelFormatException>(() => Open(header, data).Dispose()).Message;
        Assert.StartsWith("test.safetensors: ", message, StringComparison.Ordinal);
        Assert.DoesNotContain('\n', message);
    }

    [Fact]
    public void The_header_length_is_bounded_by_the_file_and_by_the_limit()
    {
        byte[] file = SafetensorsBytes.File("{}", 0);
        foreach (ulong length in (ulong[])[3, int.MaxValue, uint.MaxValue, ulong.MaxValue, 1UL << 63, SafetensorsFile.HeaderBytes + 1, 0])
        {
            BitConverter.TryWriteBytes(file, length);
            Assert.Throws<ModelFormatException>(() => SafetensorsFile.Open(FileImage.FromBytes("test", file)).Dispose());
        }

        Assert.Throws<ModelFormatException>(() => SafetensorsFile.Open(FileImage.FromBytes("test", [1, 0, 0])).Dispose());
    }

    [Fact]
    public void Many_tiny_members_do_not_multiply_the_memory()
    {
        var header = new System.Text.StringBuilder("{\"__metadata__\":{\"\":\"\"");
        for (int i = 0; i < 600_000; i++)
            header.Append(System.Globalization.CultureInfo.InvariantCulture, $",\"{i}\":\"\"");
        byte[] file = SafetensorsBytes.File(header.Append("}}").ToString(), 0);
        long before = GC.GetAllocatedBytesForCurrentThread();
        string message = Assert.Throws<ModelFormatException>(() => SafetensorsFile.Open(FileImage.FromBytes("test", file)).Dispose()).Message;
        Assert.Contains("memory", message);
        Assert.InRange(GC.GetAllocatedBytesForCurrentThread() - before, 0, (64L << 20) + (3L * file.Length));
    }

    private static SafetensorsFile Open(string header, int data) =>
        SafetensorsFile.Open(FileImage.FromBytes("test.safetensors", SafetensorsBytes.File(header, data)));
}
