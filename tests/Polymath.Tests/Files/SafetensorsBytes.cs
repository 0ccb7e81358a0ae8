using System.Text;

namespace Polymath.Tests.Files;

/// <summary>Puts safetensors files together by hand, right or wrong.</summary>
internal static class SafetensorsBytes
{
    /// <summary>A file with this header text and so many bytes 1, 2, 3, … of data.</summary>
    public static byte[] File(string header, int data) => File(header, [.. Enumerable.Range(1, data).Select(i => (byte)i)]);

    public static byte[] File(string header, byte[] data)
    {
        byte[] text = Encoding.UTF8.GetBytes(header);
        return [.. BitConverter.GetBytes((ulong)text.Length), .. text, .. data];
    }

    /// <summary>A valid file of F32 tensors whose elements count up from 0 through all of them.</summary>
    public static byte[] Floats(params (string Name, int[] Shape)[] tensors)
    {
        var header = new StringBuilder("{\"__metadata__\":{\"format\":\"pt\"}");
        int at = 0;
        foreach ((string name, int[] shape) in tensors)
        {
            int end = at + (4 * shape.Aggregate(1, (a, b) => a * b));
            header.Append(System.Globalization.CultureInfo.InvariantCulture,
                $",\"{name}\":{{\"dtype\":\"F32\",\"shape\":[{string.Join(',', shape)}],\"data_offsets\":[{at},{end}]}}");
            at = end;
        }

        byte[] data = [.. Enumerable.Range(0, at / 4).SelectMany(i => BitConverter.GetBytes((float)i))];
        return File(header.Append('}').ToString(), data);
    }
}
